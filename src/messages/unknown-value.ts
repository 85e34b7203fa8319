import type { z } from 'zod';
import { type Read, refuse } from './rejection.ts';

/** Longer ones are no words. */
const LONGEST_WORD = 64;

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = Reflect.get(found, key);
  }
  return found;
}

/** A word of a list that has to be known in full, or a key where every one has to be known. */
function isUnknown(value: unknown, issue: z.core.$ZodIssue): boolean {
  if (issue.code === 'unrecognized_keys') return true;
  if (issue.code !== 'invalid_value' && issue.code !== 'invalid_union') return false;
  const found = at(value, issue.path);
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    return issue.errors.some((ofMember) => ofMember.every((inner) => isUnknown(found, inner)));
  }
  return typeof found === 'string' && found.length <= LONGEST_WORD;
}

/** A value that its schema does not take: broken, or of a later release, which is no fault of who sent it. */
export function refuseValue(value: unknown, { issues }: z.ZodError): Read<never> {
  const [first] = issues;
  const code = issues.every((issue) => isUnknown(value, issue)) ? 'UNKNOWN_VALUE' : 'MALFORMED';
  return refuse(code, `${first?.path.join('.') ?? ''}: ${first?.message ?? 'invalid'}`);
}
