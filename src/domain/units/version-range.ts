import { LRUCache } from 'lru-cache';
import { minVersion, parse, satisfies, type SemVer, validRange } from 'semver';

/** Ranges come from strangers, so what is remembered is bounded. */
const REMEMBERED_ANSWERS = 4096;

/** Characters of a version or a range; a longer one is none. */
const LONGEST_TEXT = 256;

type Answer = 'inside' | 'outside' | 'not-comparable';

const answers = new LRUCache<string, Answer>({ max: REMEMBERED_ANSWERS });

const OPTIONS = { includePrerelease: true } as const;

/** Drivers are numbered `535.183.01`, and some have a fourth part; a semantic version has three, without such zeros. */
const PARTS = 3;
const NUMBERS = /\d+(?:\.\d+)*/;
/** Not inside a name or a prerelease, where zeros count. */
const NUMBERS_OF_RANGE = /(?<![\w.+-])v?\d+(?:\.\d+)*/g;

function plainParts(numbers: string): string[] {
  const parts = numbers.split('.').map((part) => part.replace(/^(v?)0+(?=\d)/, '$1'));
  return parts.slice(0, PARTS);
}

function plainRange(range: string): string {
  return range.replaceAll(NUMBERS_OF_RANGE, (numbers) => plainParts(numbers).join('.'));
}

/** The version that a text names, as far as it has the form of one: parts that are not there are zero. */
export function readVersion(text: string): SemVer | undefined {
  if (text.length > LONGEST_TEXT) return undefined;
  const whole = parse(text);
  if (whole !== null) return whole;
  const [numbers] = NUMBERS.exec(text) ?? [];
  if (numbers === undefined) return undefined;
  const [major = '0', minor = '0', patch = '0'] = plainParts(numbers);
  return parse(`${major}.${minor}.${patch}`) ?? undefined;
}

function answer(version: string, range: string): Answer {
  const parsed = readVersion(version);
  const plain = plainRange(range);
  if (parsed === undefined || validRange(plain) === null) return 'not-comparable';
  return satisfies(parsed, plain, OPTIONS) ? 'inside' : 'outside';
}

/**
 * True when `version` lies in the semver range `range`. Versions of drivers and devices, such as `535.183.01` or
 * `9.0`, are read as far as they go, up to their third part. Undefined when one of the two is no version at all.
 */
export function versionInRange(version: string, range: string): boolean | undefined {
  if (version.length > LONGEST_TEXT || range.length > LONGEST_TEXT) return undefined;
  const key = `${range}\0${version}`;
  let known = answers.get(key);
  if (known === undefined) {
    known = answer(version, range);
    answers.set(key, known);
  }
  return known === 'not-comparable' ? undefined : known === 'inside';
}

/** Why no version can ever be in a range; undefined where one can. */
export function rangeProblem(range: string): string | undefined {
  if (range.length > LONGEST_TEXT) return `expected at most ${LONGEST_TEXT} characters`;
  const plain = plainRange(range);
  // Without a number semver takes `>=x` and an empty text for every version.
  const named = plain.split('||').every((part) => /\d/.test(part) || part.trim() === '*');
  if (!named || validRange(plain) === null)
    return 'expected a version range such as ">=535.104", "8.x" or ">=3.11 <4"';
  return minVersion(plain) === null
    ? 'no version is in this range: a smaller lower or a larger upper end lets some in'
    : undefined;
}
