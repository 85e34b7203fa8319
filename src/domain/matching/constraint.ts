import { z } from 'zod';
import { amountOf, comparingOf } from './constraint-matching.ts';
import { PROPERTY_NAME } from '../units/label-name.ts';

export const constraintOperators = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt', 'Semver'] as const;
export type ConstraintOperator = (typeof constraintOperators)[number];

const KEY_PATTERN = new RegExp(
  String.raw`^(cpu\.(cores|arch|model|vendor)|memory\.total|gpu\.(model|vendor|vram|count)|(engine|runtime|label)\.${PROPERTY_NAME}|location\.(continent|country|city|asn)|node\.(id|version))$`,
);

export const MOST_CONSTRAINT_VALUES = 32;
export const LONGEST_CONSTRAINT_VALUE = 128;

/** Whether a key names a property that this release knows. */
export function isConstraintKey(key: string): boolean {
  return KEY_PATTERN.test(key);
}

const base = {
  key: z.string().regex(KEY_PATTERN, 'unknown constraint key'),
  operator: z.enum(constraintOperators),
  values: z.array(z.string().max(LONGEST_CONSTRAINT_VALUE)).max(MOST_CONSTRAINT_VALUES).default([]),
};

interface ConstraintShape {
  readonly key: string;
  readonly operator: ConstraintOperator;
  readonly values: readonly string[];
}

/** Each operator wants its own number of values; anything else would silently match nothing. */
export function constraintFault(constraint: ConstraintShape): string | undefined {
  const count = constraint.values.length;
  switch (constraint.operator) {
    case 'Exists':
    case 'DoesNotExist':
      return count === 0 ? undefined : `${constraint.operator} takes no values`;
    case 'Gt':
    case 'Lt':
      return count === 1 ? wantsAmount(constraint) : `${constraint.operator} takes one value`;
    case 'Semver':
      return count === 1 ? undefined : 'Semver takes one version range';
    case 'In':
    case 'NotIn':
      return count > 0 ? undefined : `${constraint.operator} takes at least one value`;
  }
}

/** A number, or a size with its unit where the key is one of memory: what matching can compare. */
function wantsAmount({ key, operator, values }: ConstraintShape): string | undefined {
  const comparing = comparingOf(key);
  if (amountOf(values[0] ?? '', comparing) !== undefined) return undefined;
  return comparing === 'bytes'
    ? `${operator} takes one size such as 8GiB or a number of bytes`
    : `${operator} takes one number`;
}

const checked = <T extends ConstraintShape>(constraint: T, context: z.RefinementCtx<T>): void => {
  const problem = constraintFault(constraint);
  if (problem !== undefined) context.addIssue({ code: 'custom', path: ['values'], message: problem });
};

export const hardConstraint = z.strictObject(base).superRefine(checked);
export const softConstraint = z
  .strictObject({ ...base, weight: z.number().int().min(1).max(100).default(1) })
  .superRefine(checked);

export interface Constraint {
  readonly key: string;
  readonly operator: ConstraintOperator;
  readonly values: readonly string[];
}

export interface SoftConstraint extends Constraint {
  readonly weight: number;
}

export interface Constraints {
  readonly hard: readonly Constraint[];
  readonly soft: readonly SoftConstraint[];
}
