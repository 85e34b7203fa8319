import { z } from 'zod';
import { encodeCanonical } from '../../lib/canonical.ts';
import { constraintConflicts } from '../matching/constraint-conflicts.ts';
import { type Constraint, type Constraints, hardConstraint, softConstraint } from '../matching/constraint.ts';
import { constraintProblems } from '../matching/constraint-values.ts';

interface ConstraintBounds {
  /** Of each list. */
  readonly constraints: number;
  readonly constraintBytes: number;
}

const meaningful = (constraint: Constraint, context: z.RefinementCtx): void => {
  for (const { path, message } of constraintProblems(constraint)) {
    context.addIssue({ code: 'custom', path: [...path], message });
  }
};

const withoutConflicts = (hard: readonly Constraint[], context: z.RefinementCtx): void => {
  for (const { index, message } of constraintConflicts(hard)) {
    context.addIssue({ code: 'custom', path: [index], message });
  }
};

/** They are sent to every provider, and what is too long to be sent is refused by all of them. */
function smallEnough({ hard, soft }: Constraints, mostBytes: number, context: z.RefinementCtx): void {
  const bytes = { hard: encodeCanonical(hard).length, soft: encodeCanonical(soft).length };
  const all = bytes.hard + bytes.soft;
  if (all <= mostBytes) return;
  context.addIssue({
    code: 'custom',
    path: [bytes.hard >= bytes.soft ? 'hard' : 'soft'],
    message: `constraints take ${all} bytes in a bid request, hard and soft together, and may take ${mostBytes}: give fewer or shorter values`,
  });
}

/** The constraints as a job gives them: each can be compared, hard ones can be met together, and a request has room for all. */
export function jobConstraints(bounds: ConstraintBounds): z.ZodType<Constraints, unknown> {
  return z
    .strictObject({
      hard: z
        .array(hardConstraint.superRefine(meaningful))
        .max(bounds.constraints)
        .superRefine(withoutConflicts)
        .default([]),
      soft: z.array(softConstraint.superRefine(meaningful)).max(bounds.constraints).default([]),
    })
    .superRefine((constraints, context) => smallEnough(constraints, bounds.constraintBytes, context))
    .prefault({});
}
