import type { z } from 'zod';
import type { jobDescription } from '../domain/job/job-description.ts';
import type { Constraints } from '../domain/matching/constraint.ts';

/** A job description as it is posted: what is left out has its default. */
export type JobInput = Omit<z.input<typeof jobDescription>, 'constraints'> & {
  readonly constraints?: Partial<Constraints>;
};
