import { z } from 'zod';
import {
  type Constraint,
  constraintFault,
  constraintOperators,
  isConstraintKey,
  LONGEST_CONSTRAINT_VALUE,
  MOST_CONSTRAINT_VALUES,
} from '../domain/matching/constraint.ts';

/** Longer than any that is known. */
const LONGEST_KEY = 96;

const fields = {
  key: z.string().min(1).max(LONGEST_KEY),
  operator: z.enum(constraintOperators),
  values: z.array(z.string().max(LONGEST_CONSTRAINT_VALUE)).max(MOST_CONSTRAINT_VALUES).default([]),
};

/** A property that this node does not know is one that its machine does not have: matching says so, and not the wire. */
function checked<T extends Constraint>(constraint: T, context: z.RefinementCtx<T>): void {
  const fault = isConstraintKey(constraint.key) ? constraintFault(constraint) : undefined;
  if (fault !== undefined) context.addIssue({ code: 'custom', path: ['values'], message: fault });
}

/** Constraints of a bid request. What a user may write in a job is checked more strictly where it comes in. */
export const hardConstraint = z.object(fields).superRefine(checked);
export const softConstraint = z
  .object({ ...fields, weight: z.number().int().min(1).max(100).default(1) })
  .superRefine(checked);
