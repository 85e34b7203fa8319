/** A code with data and nothing else: the sentence needs no more. */
export type Nothing = Readonly<Record<string, never>>;

/**
 * Why something is as it is, as data. `Reasons` maps each code to the data that goes with it; what people read is made of
 * the two at the edge of the node, in `src/words/`.
 */
export type ReasonOf<Reasons, Code extends keyof Reasons = keyof Reasons> = {
  readonly [Each in Code]: { readonly code: Each; readonly data: Reasons[Each] };
}[Code];

/** A reason that its code says all of. */
export function bare<Code extends string>(code: Code): { readonly code: Code; readonly data: Nothing } {
  return { code, data: {} };
}

/** What was written down before reasons were data: only the sentence of it is left. */
export interface Told {
  readonly unknown: { readonly text: string };
}

/** An error of this node as it is kept: its code, and its message in the words of that moment. */
export interface KeptError {
  readonly error: string;
  readonly text: string;
}
