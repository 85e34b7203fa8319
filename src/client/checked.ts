import type { z } from 'zod';

/**
 * A value that has to be of a shape, as it came: members that the shape does not name stay. A newer node may say a word
 * where this client knows some others; that is no fault. Throws with the first member that is not.
 */
export function checked<Shape extends z.ZodType>(shape: Shape, value: unknown): z.output<Shape> {
  const parsed = shape.safeParse(value, { reportInput: true });
  const wrong = parsed.error?.issues.find((issue) => !isNewWord(issue));
  if (wrong !== undefined)
    throw new Error(`${wrong.path.map(String).join('.') || 'the answer'}: ${wrong.message}`);
  return value as z.output<Shape>;
}

function isNewWord({ code, input }: z.core.$ZodIssue): boolean {
  return code === 'invalid_value' && typeof input === 'string';
}
