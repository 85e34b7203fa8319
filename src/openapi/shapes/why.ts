import { z } from 'zod';
import { named } from '../named.ts';

/** A reason as data, beside the sentence that is made of it. */
export const whyShape = named('Why', z.object({ code: z.string(), data: z.record(z.string(), z.unknown()) }));
export type Why = z.output<typeof whyShape>;
