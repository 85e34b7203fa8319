const NEWLINE = 10;
/** A longer line goes out in pieces. */
const MOST_LINE_BYTES = 64 * 1024;

/** Bytes as whole lines behind a prefix, so that several programs can print side by side. */
export class PrefixedLines {
  readonly #prefix: Buffer;
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  #begun: Buffer = Buffer.alloc(0);

  constructor(prefix: string, write: (bytes: Uint8Array) => Promise<void>) {
    this.#prefix = Buffer.from(prefix);
    this.#write = write;
  }

  async push(bytes: Uint8Array): Promise<void> {
    const text = Buffer.concat([this.#begun, bytes]);
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = text.indexOf(NEWLINE); end >= 0; end = text.indexOf(NEWLINE, start)) {
      lines.push(this.#prefix, text.subarray(start, end + 1));
      start = end + 1;
    }
    this.#begun = text.subarray(start);
    if (lines.length > 0) await this.#write(Buffer.concat(lines));
    if (this.#begun.length > MOST_LINE_BYTES) await this.end();
  }

  /** Ends a line that has begun. */
  async end(): Promise<void> {
    const rest = this.#begun;
    this.#begun = Buffer.alloc(0);
    if (rest.length > 0) await this.#write(Buffer.concat([this.#prefix, rest, Buffer.of(NEWLINE)]));
  }
}
