const FIRST_PICTURE = 0x2400;
const DELETE = 0x7f;
const DELETE_PICTURE = '\u2421';

/**
 * What strangers wrote, safe for a terminal: control characters other than newline and tab, which could move the cursor,
 * rename the window or paint over what stands there, become pictures of themselves; what turns the direction of the text
 * around, and so the ending of a file name, is replaced.
 */
export function visibleText(text: string): string {
  return visibleDirection(text.replaceAll('\r\n', '\n').replaceAll(/[^\P{Cc}\n\t]/gu, pictureOf));
}

/** The same as one line, for a place in a table or in a sentence. */
export function visibleLine(text: string): string {
  return visibleDirection(text.replaceAll(/\p{Cc}/gu, pictureOf));
}

function visibleDirection(text: string): string {
  return text.replaceAll(/[\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

function pictureOf(character: string): string {
  const code = character.charCodeAt(0);
  if (code === DELETE) return DELETE_PICTURE;
  return code < 0x20 ? String.fromCharCode(FIRST_PICTURE + code) : '\ufffd';
}

/** The same for bytes that come in pieces. */
export class VisibleBytes {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  of(chunk: Uint8Array): string {
    return visibleText(this.#decoder.decode(chunk, { stream: true }));
  }
}
