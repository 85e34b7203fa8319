import { MOST_LEVELS } from './bounds.ts';

export type FaultKind =
  | 'utf-16'
  | 'not-utf-8'
  | 'syntax'
  | 'value-expected'
  | 'separator-expected'
  | 'key-expected'
  | 'colon-expected'
  | 'text-behind'
  | 'string-open'
  | 'control-character'
  | 'bad-escape'
  | 'bad-number'
  | 'inexact-number'
  | 'not-finite'
  | 'half-character'
  | 'repeated-key'
  | 'long-key'
  | 'too-deep'
  | 'too-many'
  | 'too-long'
  | 'no-document'
  | 'two-documents'
  | 'no-anchor'
  | 'many-aliases'
  | 'merge-key'
  | 'key-not-text';

/** Why a text is not taken, in words that never repeat what stands in it. */
const REASONS: Readonly<Record<FaultKind, string>> = {
  'utf-16': 'it is UTF-16 text. Save it as UTF-8',
  'not-utf-8': 'it is not UTF-8 text. Save it as UTF-8',
  syntax: 'this cannot be read',
  'value-expected': 'a value is expected here',
  'separator-expected': 'a comma or the closing bracket is expected here',
  'key-expected': 'a key in double quotes is expected here',
  'colon-expected': 'a colon is expected here',
  'text-behind': 'there is more text behind the end of the value',
  'string-open': 'the text in quotes has no end',
  'control-character': 'a control character in quotes has to be written as an escape',
  'bad-escape': 'there is no such escape',
  'bad-number': 'this is no number as JSON has them',
  'inexact-number': 'no number is kept exactly that is so large. Write it in quotes, where text is taken',
  'not-finite': 'this is no number that can be kept',
  'half-character': 'half of a character (a lone surrogate) is no text',
  'repeated-key': 'this map has the same key twice',
  'long-key': 'a key is longer than any that is known',
  'too-deep': `it is nested deeper than ${MOST_LEVELS} levels. Make it flatter`,
  'too-many': 'it holds more values than any description has',
  'too-long': 'it takes longer to read, or more memory, than it may. Send it as JSON',
  'no-document': 'it holds no document',
  'two-documents': 'it holds more than one document',
  'no-anchor': 'this alias has no anchor before it',
  'many-aliases': 'aliases stand for more than they may. Write the values out',
  'merge-key': 'merge keys (<<) are not taken. Write the keys out',
  'key-not-text': 'only text can be a key',
};

/** Where something stands in a text; both begin with 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

const LINE_FEED = 0x0a;
const LONGEST_QUOTE = 120;

export interface FaultDetail {
  readonly quote?: string;
  readonly reason?: string;
}

/** Why a text is no document that is taken, and where: its first fault. */
export class DocumentFault extends Error {
  override readonly name = 'DocumentFault';
  readonly kind: FaultKind;
  readonly place: Place | undefined;
  /** The reason without a word of the text, for what may hold secrets. */
  readonly reason: string;
  /** What is at fault, as it is written; empty where the place says it. */
  readonly quote: string;

  constructor(
    kind: FaultKind,
    place: Place | undefined,
    { quote = '', reason = REASONS[kind] }: FaultDetail = {},
  ) {
    const shortened = quote.length > LONGEST_QUOTE ? `${quote.slice(0, LONGEST_QUOTE)}…` : quote;
    super(shortened === '' ? reason : `${shortened}: ${reason}`);
    this.kind = kind;
    this.place = place;
    this.reason = reason;
    this.quote = shortened;
  }
}

/** What stands at an offset, as people count. */
export function placeAt(text: string, offset: number): Place {
  let line = 1;
  let start = 0;
  for (let at = 0; at < offset; at += 1) {
    if (text.charCodeAt(at) !== LINE_FEED) continue;
    line += 1;
    start = at + 1;
  }
  return { line, column: offset - start + 1 };
}
