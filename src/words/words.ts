import type { ReasonOf } from '../domain/units/reason.ts';

/** How each code with its data reads. */
export type Words<Reasons> = { readonly [Code in keyof Reasons]: (data: Reasons[Code]) => string };

/** What says a reason by its table. A code that a newer version has written down reads as itself. */
export function saying<Reasons>(words: Words<Reasons>): (reason: ReasonOf<Reasons>) => string {
  return (reason) => (Object.hasOwn(words, reason.code) ? said(words, reason) : String(reason.code));
}

function said<Reasons, Code extends keyof Reasons>(
  words: Words<Reasons>,
  { code, data }: ReasonOf<Reasons, Code>,
): string {
  return words[code](data);
}

/** For reasons of which only the sentence is left. */
export const told = { unknown: ({ text }: { readonly text: string }) => text };

const ENDS = ['.', '!', '?'];

/** With a full stop where it has no end yet. */
export function asSentence(text: string): string {
  return ENDS.some((end) => text.endsWith(end)) ? text : `${text}.`;
}

/** Without its full stop, to stand in a list. */
export function asPhrase(text: string): string {
  return text.endsWith('.') ? text.slice(0, -1) : text;
}

/** To stand behind other words of one sentence. */
export function lowered(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}

export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

const MOST_NAMED = 3;

/** The first few of many, with how many there are `in all`. */
export function namesOf(names: readonly string[], inAll = names.length): string {
  const named = names.slice(0, MOST_NAMED);
  const more = inAll - named.length;
  return more === 0 ? named.join(', ') : `${named.join(', ')} and ${more} more`;
}
