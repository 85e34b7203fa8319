import type { z } from 'zod';
import type { jobDescription } from '../domain/job/job-description.ts';
import type { Constraints } from '../domain/matching/constraint.ts';

/** A job description as it is posted: what is left out has its default. */
export type JobInput = Omit<z.input<typeof jobDescription>, 'constraints' | 'engine'> & {
  /** What runs the program, and the program as it takes it: the node's own documentation tells what each engine takes. */
  readonly engine: { readonly type: string; readonly params: Readonly<Record<string, unknown>> };
  readonly constraints?: Partial<Constraints>;
};
