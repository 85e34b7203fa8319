import type { Constraint } from './constraint.ts';
import { amountOf, comparingOf, valueMeets } from './constraint-matching.ts';
import { clippedText } from './field-text.ts';

export interface ConstraintConflict {
  /** Of the later one of the constraints that exclude each other. */
  readonly index: number;
  readonly message: string;
}

/** What a job asks of one machine. */
interface AskedAmounts {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly gpus: number;
}

const MILLIS_PER_CORE = 1000;
const MANY_VALUED: ReadonlySet<string> = new Set(['gpu.vendor', 'gpu.model', 'gpu.vram']);
const WHOLE_NUMBERS: ReadonlySet<string> = new Set(['cpu.cores', 'gpu.count', 'memory.total']);

/**
 * Hard constraints that no machine can meet together, each named once, with those of its key that stand before it.
 * Only what is certain is named: the words of a model and the values of several devices leave room for more.
 */
export function constraintConflicts(hard: readonly Constraint[]): ConstraintConflict[] {
  const byKey = new Map<string, { readonly index: number; readonly constraint: Constraint }[]>();
  return hard.flatMap((constraint, index) => {
    const before = byKey.get(constraint.key) ?? [];
    if (contradicts([...before.map((entry) => entry.constraint), constraint])) {
      const others = before.map((entry) => `constraints.hard.${entry.index} (${textOf(entry.constraint)})`);
      const message = `no provider can meet ${constraint.key} ${textOf(constraint)} together with ${others.join(', ')}`;
      return [{ index, message }];
    }
    byKey.set(constraint.key, [...before, { index, constraint }]);
    return [];
  });
}

/** Constraints that only a machine smaller than what is asked of it could meet. */
export function amountConflicts(hard: readonly Constraint[], asked: AskedAmounts): ConstraintConflict[] {
  const amounts: Readonly<Record<string, number>> = {
    'cpu.cores': asked.cpuMillis / MILLIS_PER_CORE,
    'memory.total': asked.memoryBytes,
    'gpu.count': asked.gpus,
  };
  return hard.flatMap((constraint, index) => {
    const amount = Object.hasOwn(amounts, constraint.key) ? amounts[constraint.key] : undefined;
    const limit = limitOf(constraint);
    if (constraint.operator !== 'Lt' || !amount || limit === undefined || amount < limit) return [];
    const message = `no provider can meet ${constraint.key} ${textOf(constraint)}: resources ask for at least as much`;
    return [{ index, message }];
  });
}

function contradicts(constraints: readonly Constraint[]): boolean {
  if (constraints.length < 2) return false;
  const absent = constraints.filter(({ operator }) => operator === 'DoesNotExist').length;
  if (absent > 0) return absent < constraints.length;
  const sets = constraints.filter(({ operator }) => operator === 'In');
  return sets.some((set) => nothingLeft(set, constraints)) || emptyRange(constraints);
}

function nothingLeft(set: Constraint, constraints: readonly Constraint[]): boolean {
  const open = MANY_VALUED.has(set.key) || comparingOf(set.key) === 'contains';
  const others = constraints.filter(({ operator }) => (open ? operator === 'NotIn' : true));
  return !set.values.some((value) => others.every((constraint) => valueMeets(constraint, value)));
}

function emptyRange(constraints: readonly Constraint[]): boolean {
  const key = constraints[0]?.key ?? '';
  if (MANY_VALUED.has(key)) return false;
  const limits = (operator: 'Gt' | 'Lt'): number[] =>
    constraints.filter((one) => one.operator === operator).flatMap((one) => limitOf(one) ?? []);
  const above = Math.max(...limits('Gt'));
  const below = Math.min(...limits('Lt'));
  return WHOLE_NUMBERS.has(key) ? Math.floor(above) + 1 >= below : above >= below;
}

function limitOf({ key, values }: Constraint): number | undefined {
  return amountOf(values[0] ?? '', comparingOf(key));
}

function textOf({ operator, values }: Constraint): string {
  return clippedText([operator, values.join(', ')].filter((text) => text !== '').join(' '));
}
