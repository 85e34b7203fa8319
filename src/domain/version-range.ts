import { LRUCache } from 'lru-cache';
import { coerce, parse, satisfies, validRange } from 'semver';

/** Ranges come from strangers, so what is remembered is bounded. */
const REMEMBERED_ANSWERS = 4096;

type Answer = 'inside' | 'outside' | 'not-comparable';

const answers = new LRUCache<string, Answer>({ max: REMEMBERED_ANSWERS });

function answer(version: string, range: string): Answer {
  const parsed = parse(version) ?? coerce(version);
  if (parsed === null || validRange(range) === null) return 'not-comparable';
  return satisfies(parsed, range, { includePrerelease: true }) ? 'inside' : 'outside';
}

/**
 * True when `version` lies in the semver range `range`. Versions of drivers and devices, such as `550.54.14` or
 * `9.0`, are read as far as they go. Undefined when one of the two is no version at all.
 */
export function versionInRange(version: string, range: string): boolean | undefined {
  const key = `${range}\0${version}`;
  let known = answers.get(key);
  if (known === undefined) {
    known = answer(version, range);
    answers.set(key, known);
  }
  return known === 'not-comparable' ? undefined : known === 'inside';
}
