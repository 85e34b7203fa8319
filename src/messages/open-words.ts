import { z } from 'zod';

/** Longer ones are no words. */
const LONGEST_WORD = 64;

/** A word of a list that may grow: one that is not known here reads as `otherwise`, so that its message is still of use. */
export function openWord<const Word extends string>(
  known: readonly Word[],
  otherwise: Word,
): z.ZodType<Word> {
  const words: ReadonlyMap<string, Word> = new Map(known.map((word) => [word, word]));
  return z
    .string()
    .max(LONGEST_WORD)
    .transform((word) => words.get(word) ?? otherwise);
}
