import { LRUCache } from 'lru-cache';
import type { AvailableCapability } from './capability.ts';
import type { FieldComparison, Standing } from './comparison.ts';
import type { Constraint } from './constraint.ts';
import { bytesThere, clippedText } from './field-text.ts';
import { byteQuantity } from '../units/quantities.ts';
import { versionInRange } from '../units/version-range.ts';

const REMEMBERED_SIZES = 1024;

const sizes = new LRUCache<string, { readonly bytes: number | undefined }>({ max: REMEMBERED_SIZES });

/** How values of a key are compared. */
type Comparing = 'exact' | 'same-letters' | 'contains' | 'bytes';

interface KeyValues {
  readonly values: readonly string[];
  readonly comparing: Comparing;
}

const NONE: readonly string[] = [];

function one(value: string | undefined): readonly string[] {
  return value === undefined || value === '' ? NONE : [value];
}

function entry(map: Readonly<Record<string, string>>, name: string): readonly string[] {
  return Object.hasOwn(map, name) ? one(map[name]) : NONE;
}

/** How values of a key are compared, whatever machine they come from. */
export function comparingOf(key: string): Comparing {
  switch (key) {
    case 'cpu.model':
    case 'gpu.model':
      return 'contains';
    case 'memory.total':
    case 'gpu.vram':
      return 'bytes';
    case 'node.id':
      return 'exact';
    default:
      return key.startsWith('label.') ? 'exact' : 'same-letters';
  }
}

function valuesOf(key: string, { traits, onboarded }: AvailableCapability): readonly string[] {
  switch (key) {
    case 'cpu.cores':
      return [String(traits.cpu.cores)];
    case 'cpu.arch':
      return one(traits.cpu.arch);
    case 'cpu.vendor':
      return one(traits.cpu.vendor);
    case 'cpu.model':
      return one(traits.cpu.model);
    case 'memory.total':
      return [String(onboarded.memoryBytes)];
    case 'gpu.count':
      return [String(onboarded.gpus.length)];
    case 'gpu.vendor':
      return onboarded.gpus.map((gpu) => gpu.vendor);
    case 'gpu.model':
      return onboarded.gpus.map((gpu) => gpu.model);
    case 'gpu.vram':
      return onboarded.gpus.map((gpu) => String(gpu.vramBytes));
    case 'location.continent':
      return one(traits.location.continent);
    case 'location.country':
      return one(traits.location.country);
    case 'location.city':
      return one(traits.location.city);
    case 'location.asn':
      return one(traits.location.asn);
    case 'node.id':
      return one(traits.peerId);
    case 'node.version':
      return one(traits.nodeVersion);
    default:
      return namedValues(key, traits);
  }
}

function namedValues(key: string, traits: AvailableCapability['traits']): readonly string[] {
  const dot = key.indexOf('.');
  const name = key.slice(dot + 1);
  switch (key.slice(0, dot)) {
    case 'engine':
      return entry(traits.engines, name);
    case 'runtime':
      return entry(traits.runtimes, name);
    case 'label':
      return entry(traits.labels, name);
    default:
      return NONE;
  }
}

function bytesOf(text: string): number | undefined {
  const known = sizes.get(text);
  if (known !== undefined) return known.bytes;
  const bytes = byteQuantity.safeParse(text).data;
  sizes.set(text, { bytes });
  return bytes;
}

/** The number that `Gt` and `Lt` compare; undefined where a text is none. */
export function amountOf(text: string, comparing: Comparing): number | undefined {
  if (comparing === 'bytes') return bytesOf(text);
  const value = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function same(value: string, wanted: string, comparing: Comparing): boolean {
  if (value === wanted) return true;
  switch (comparing) {
    case 'exact':
      return false;
    case 'same-letters':
      return value.toLowerCase() === wanted.toLowerCase();
    case 'contains':
      return value.toLowerCase().includes(wanted.toLowerCase());
    case 'bytes': {
      const bytes = bytesOf(wanted);
      return bytes !== undefined && bytes === bytesOf(value);
    }
  }
}

function isOneOf(present: KeyValues, wanted: readonly string[]): boolean {
  return present.values.some((value) => wanted.some((text) => same(value, text, present.comparing)));
}

/** `Gt` and `Lt` are strict, and hold when they hold for any of the values: one large enough GPU is enough. */
function ordered(present: KeyValues, limitText: string, above: boolean): Standing {
  const limit = amountOf(limitText, present.comparing);
  if (limit === undefined) return 'Error';
  const numbers = present.values.flatMap((text) => amountOf(text, present.comparing) ?? []);
  if (numbers.length === 0) return 'Error';
  return numbers.some((value) => (above ? value > limit : value < limit)) ? 'Better' : 'Worse';
}

function inVersionRange(present: KeyValues, range: string): Standing {
  const answers = present.values.map((value) => versionInRange(value, range));
  if (answers.includes(true)) return 'Equal';
  return answers.includes(false) ? 'Worse' : 'Error';
}

function standingOf(constraint: Constraint, present: KeyValues): Standing {
  const { operator, values } = constraint;
  if (operator === 'DoesNotExist') return present.values.length === 0 ? 'Equal' : 'Worse';
  if (present.values.length === 0) return 'Error';
  switch (operator) {
    case 'Exists':
      return 'Equal';
    case 'In':
      return isOneOf(present, values) ? 'Equal' : 'Worse';
    case 'NotIn':
      return isOneOf(present, values) ? 'Worse' : 'Equal';
    case 'Gt':
      return ordered(present, values[0] ?? '', true);
    case 'Lt':
      return ordered(present, values[0] ?? '', false);
    case 'Semver':
      return inVersionRange(present, values[0] ?? '');
  }
}

/** Whether a machine whose only value of the key is this one meets the constraint. */
export function valueMeets(constraint: Constraint, value: string): boolean {
  const standing = standingOf(constraint, { values: [value], comparing: comparingOf(constraint.key) });
  return standing === 'Equal' || standing === 'Better';
}

function requiredText({ operator, values }: Constraint): string {
  const texts = values.includes('') ? values.map((value) => (value === '' ? '""' : value)) : values;
  return clippedText(texts.length === 0 ? operator : `${operator} ${texts.join(', ')}`);
}

/** What is there, for people: sizes with a unit where that says the same, or shows how much is lacking. */
function availableText({ operator, values }: Constraint, present: KeyValues): string {
  if (present.values.length === 0) return 'none';
  if (present.comparing !== 'bytes') return clippedText(present.values.join(', '));
  const texts = present.values.map((value) => {
    const bytes = Number(value);
    const text = bytesThere(bytes, operator === 'Gt' ? bytesOf(values[0] ?? '') : bytes);
    return operator === 'Gt' || bytesOf(text) === bytes ? text : `${value} B`;
  });
  return clippedText(texts.join(', '));
}

/**
 * One constraint against one machine. A key that has no value here gives `Error` for every operator but
 * `DoesNotExist`. Labels and node ids are compared letter by letter, models by containment, everything else
 * without regard to case; amounts of memory may carry units.
 */
export function compareConstraint(
  constraint: Constraint,
  available: AvailableCapability,
  hard: boolean,
  weight?: number,
): FieldComparison {
  const present = {
    values: valuesOf(constraint.key, available),
    comparing: comparingOf(constraint.key),
  };
  return {
    field: constraint.key,
    required: requiredText(constraint),
    available: availableText(constraint, present),
    result: standingOf(constraint, present),
    hard,
    ...(weight === undefined ? {} : { weight }),
  };
}
