import type { CapabilityComparison, FieldComparison } from '../matching/comparison.ts';
import { durationOf } from '../matching/field-text.ts';
import { textToNano } from '../units/money.ts';
import { byteQuantity } from '../units/quantities.ts';
import { readVersion } from '../units/version-range.ts';

/** A hard field that stood in the way on some machines. */
export interface MissedField {
  readonly field: string;
  readonly required: string;
  /** Machines on which it is not met. */
  readonly count: number;
  /** Of those, machines on which nothing else is in the way: asking less of this field alone would win them. */
  readonly alone: number;
  /**
   * The value nearest to what is required, or, where values have no order, the most frequent one; among the machines
   * on which nothing else is in the way when there are such.
   */
  readonly best: string;
  /** Machines with the best value. */
  readonly bestCount: number;
  /** Where it alone would win nobody: fields that are in the way on every one of those machines as well. */
  readonly beside?: readonly string[];
}

interface Tally {
  readonly field: string;
  readonly required: string;
  count: number;
  alone: number;
  beside: readonly string[];
  /** Machines by value: all, and those with nothing else in the way. */
  readonly values: Map<string, number>;
  readonly valuesAlone: Map<string, number>;
}

/** Different texts that strangers can put into one field are many; beyond these they count as `other`. */
const MOST_VALUES = 256;
const MOST_FIELDS = 128;
const OTHER_VALUE = 'other';

const VERSION_PART = 100_000;

const MONEY = /^(?<amount>[\d.]+) (?<currency>[A-Z]{3,8})(?:(?: per |\/)[a-z]+)?$/;

/** That a node takes no work is nothing that a job could ask less of. */
const NEVER_LESS = 'node.draining';
const NOTHING: ReadonlySet<string> = new Set(['0', '0m', '0 B', '0B', 'none', 'unknown']);

/** Whether a job could ask for what came nearest: some of it is there. */
export function isWithinReach({ field, best }: Pick<MissedField, 'field' | 'best'>): boolean {
  return field !== NEVER_LESS && !NOTHING.has(best);
}

function versionMeasure(text: string): number | undefined {
  const version = readVersion(text);
  if (version === undefined) return undefined;
  const [minor, patch] = [version.minor, version.patch].map((part) => Math.min(part, VERSION_PART - 1));
  return (version.major * VERSION_PART + (minor ?? 0)) * VERSION_PART + (patch ?? 0);
}

function amountMeasure(text: string): number | bigint | undefined {
  const amount = MONEY.exec(text)?.groups?.['amount'];
  if (amount !== undefined) return textToNano(amount);
  const plain = /^(\d+(?:\.\d+)?)m?$/.exec(text);
  if (plain !== null) return Number(plain[1]);
  return byteQuantity.safeParse(text).data ?? durationOf(text);
}

function isVersioned({ field, required }: Pick<Tally, 'field' | 'required'>): boolean {
  return field === 'gpu.driver' || field === 'gpu.computeCapability' || required.startsWith('Semver ');
}

/** Whether less is nearer to what is asked. */
function wantsLess({ field, required }: Pick<Tally, 'field' | 'required'>): boolean {
  return field === 'budget.maxPrice' || required.startsWith('Lt ');
}

const UNORDERED = /^(In|NotIn|Exists|DoesNotExist)\b/;

function currencyOf(text: string): string | undefined {
  return MONEY.exec(text)?.groups?.['currency'];
}

interface Best {
  readonly text: string;
  readonly measure: number | bigint;
}

/** The best of the values that one text lists, as a number that is higher the better it is. */
function bestPart(tally: Pick<Tally, 'field' | 'required'>, available: string): Best | undefined {
  let best: Best | undefined;
  for (const text of available.split(', ')) {
    if (currencyOf(text) !== currencyOf(tally.required)) continue;
    const size = isVersioned(tally) ? versionMeasure(text) : amountMeasure(text);
    if (size === undefined) continue;
    const measure = wantsLess(tally) ? -size : size;
    if (best === undefined || measure > best.measure) best = { text, measure };
  }
  return best;
}

function mostFrequent(values: ReadonlyMap<string, number>): { best: string; bestCount: number } {
  const [first = [OTHER_VALUE, 0] as const] = [...values]
    .filter(([text]) => text !== OTHER_VALUE)
    .sort(([a, ofA], [b, ofB]) => ofB - ofA || (a < b ? -1 : Number(a > b)));
  return { best: first[0], bestCount: first[1] };
}

function bestOf(tally: Tally): { readonly best: string; readonly bestCount: number } {
  const values = tally.alone > 0 ? tally.valuesAlone : tally.values;
  if (UNORDERED.test(tally.required)) return mostFrequent(values);
  let best: Best | undefined;
  let bestCount = 0;
  for (const [available, count] of values) {
    const part = bestPart(tally, available);
    if (part === undefined || (best !== undefined && part.measure < best.measure)) continue;
    bestCount = part.measure === best?.measure ? bestCount + count : count;
    best = part;
  }
  return best === undefined ? mostFrequent(values) : { best: best.text, bestCount };
}

function addTo(values: Map<string, number>, text: string): void {
  const key = values.has(text) || values.size < MOST_VALUES ? text : OTHER_VALUE;
  values.set(key, (values.get(key) ?? 0) + 1);
}

function isMissed(field: FieldComparison): boolean {
  return field.hard && (field.result === 'Worse' || field.result === 'Error');
}

/** What stood in the way, machine by machine: what to ask less of first, by how many machines that alone would win. */
export function tallyMisses(
  comparisons: Iterable<Pick<CapabilityComparison, 'fields'>>,
): readonly MissedField[] {
  const tallies = new Map<string, Tally>();
  for (const { fields } of comparisons) {
    const missed = fields.filter(isMissed);
    const names = [...new Set(missed.map(({ field }) => field))].sort();
    for (const { field, required, available } of missed) {
      const key = `${field}\0${required}`;
      let tally = tallies.get(key);
      if (tally === undefined) {
        if (tallies.size >= MOST_FIELDS) continue;
        const beside = names.filter((name) => name !== field);
        tally = { field, required, count: 0, alone: 0, beside, values: new Map(), valuesAlone: new Map() };
        tallies.set(key, tally);
      }
      tally.count += 1;
      tally.beside = tally.beside.filter((name) => names.includes(name));
      addTo(tally.values, available);
      if (missed.length > 1) continue;
      tally.alone += 1;
      addTo(tally.valuesAlone, available);
    }
  }
  return [...tallies.values()]
    .map((tally) => {
      const { field, required, count, alone, beside } = tally;
      return {
        field,
        required,
        count,
        alone,
        ...bestOf(tally),
        ...(alone > 0 || beside.length === 0 ? {} : { beside }),
      };
    })
    .sort(nearestFirst);
}

/** What one change would win comes first, and before all others what a job could ask for. */
function nearestFirst(a: MissedField, b: MissedField): number {
  const [ofA, ofB] = [a, b].map((miss) => Number(miss.alone > 0 && isWithinReach(miss)));
  return (
    (ofB ?? 0) - (ofA ?? 0) ||
    Number(a.field === NEVER_LESS) - Number(b.field === NEVER_LESS) ||
    b.alone - a.alone ||
    b.count - a.count ||
    (a.field < b.field ? -1 : 1)
  );
}
