import type { z } from 'zod';
import type { FieldError } from './problem.ts';

/** Enough to mend a description; the rest shows up on the next try. */
const MOST_ERRORS = 64;

/** The name that objects of this language have a meaning of their own for; as a key the schemas partly pass it over. */
const BURIED_KEY = '__proto__';
/** A description has half of them; what is deeper is under a key that is refused itself. */
const MOST_LEVELS = 16;

/** Keys that no schema sees, wherever they stand, as unknown ones. */
export function buriedKeysOf(value: unknown): FieldError[] {
  const found: FieldError[] = [];
  const seen = new Set<object>();
  const left: { readonly value: unknown; readonly path: Path }[] = [{ value, path: [] }];
  for (let next = left.pop(); next !== undefined && found.length < MOST_ERRORS; next = left.pop()) {
    const { value: inner, path } = next;
    if (typeof inner !== 'object' || inner === null || seen.has(inner)) continue;
    seen.add(inner);
    if (Object.hasOwn(inner, BURIED_KEY)) {
      found.push({ path: pathText([...path, BURIED_KEY]), code: 'unknown_key', message: 'unknown key' });
    }
    for (const [key, entry] of Object.entries(inner)) {
      if (typeof entry !== 'object' || key === BURIED_KEY || path.length >= MOST_LEVELS) continue;
      left.push({ value: entry, path: [...path, key] });
    }
  }
  return found;
}

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** What is wrong with a value that was checked with `fieldReport`, field by field; unknown keys are named one by one. */
export function fieldErrorsOf(error: z.ZodError): FieldError[] {
  const errors = error.issues.flatMap((issue) => explain(issue, []));
  // Two checks of one field may come to the same; said once it is not less true.
  const once = new Map(errors.map((one) => [JSON.stringify([one.path, one.message]), one]));
  return [...once.values()].slice(0, MOST_ERRORS);
}

function explain(issue: Issue, outer: Path): FieldError[] {
  const path = [...outer, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: pathText([...path, key]),
      code: 'unknown_key',
      message: 'unknown key',
    }));
  }
  if (issue.code === 'invalid_key') {
    return [{ path: pathText(path), code: issue.code, message: issue.issues[0]?.message ?? issue.message }];
  }
  if (isMissing(issue)) return [{ path: pathText(path), code: 'missing', message: 'is required' }];
  if (issue.code === 'invalid_union') return explainUnion(issue, path);
  return [{ path: pathText(path), code: issue.code, message: issue.message }];
}

function isMissing(issue: Issue): boolean {
  if (issue.code === 'invalid_union') {
    return issue.errors.length > 0 && issue.errors.every((issues) => issues.some(isOwnAndMissing));
  }
  return issue.code === 'invalid_type' && 'input' in issue && issue.input === undefined;
}

function isOwnAndMissing(issue: Issue): boolean {
  return issue.path.length === 0 && isMissing(issue);
}

/** Of the alternatives, the one that was most likely meant: the right kind of value with the fewest faults. */
function explainUnion(issue: Extract<Issue, { code: 'invalid_union' }>, path: Path): FieldError[] {
  const [meant] = issue.errors
    .map((issues) => ({
      wrongKind: issues.some((inner) => inner.path.length === 0 && inner.code === 'invalid_type'),
      explained: issues.flatMap((inner) => explain(inner, path)),
    }))
    .sort((a, b) => Number(a.wrongKind) - Number(b.wrongKind) || a.explained.length - b.explained.length);
  if (meant !== undefined && !meant.wrongKind) return meant.explained;
  return [{ path: pathText(path), code: 'invalid_union', message: issue.message }];
}

function pathText(path: Path): string {
  return path.map(String).join('.');
}
