import { z } from 'zod';
import { rankerNames } from '../ranking/index.ts';

const rankWeight = z.number().min(0).max(100);
const isRankerName = (text: string): boolean => rankerNames.some((known) => known === text);
const weightMap = z.record(z.string(), rankWeight).superRefine((weights, context) => {
  // The first few are enough to mend a description.
  const unknown = Object.keys(weights).filter((text) => !isRankerName(text));
  for (const text of unknown.slice(0, rankerNames.length)) {
    context.addIssue({
      code: 'custom',
      path: [text.slice(0, 64)],
      message: `is not a weight: expected ${rankerNames.join(', ')}`,
    });
  }
  if (unknown.length === 0 && Object.values(weights).every((weight) => weight === 0)) {
    const message = `expected a weight above 0 for at least one of ${rankerNames.join(', ')}`;
    context.addIssue({ code: 'custom', message });
  }
});

/** What of a bid counts, in one word or by weights of the ranks. */
export const jobPreference = z.union([z.string().pipe(z.enum(['price', 'speed', 'balanced'])), weightMap], {
  error: 'expected price, speed or balanced, or a map of weights such as { price: 2 }',
});
