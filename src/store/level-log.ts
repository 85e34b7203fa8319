import { buckets } from './buckets.ts';
import { fitsChecksum } from './level-checksum.ts';

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const BATCH_HEADER_BYTES = 12;
const MOST_NAMED = 64;

const ZERO = 0;
const FULL = 1;
const FIRST = 2;
const LAST = 4;

/** What a write-ahead log of LevelDB has lost. */
export interface LogLoss {
  /** Bytes that are damaged, or lie where LevelDB does not read on after damage. */
  readonly damagedBytes: number;
  /** Bytes of a change at the end that is not all there. */
  readonly cutBytes: number;
  /** Records whose changes were in them, as far as their names can be made out. */
  readonly keys: readonly string[];
}

interface Piece {
  readonly type: number;
  readonly end: number;
}

/**
 * Reads a write-ahead log as LevelDB will, which passes over what is damaged and says nothing. Only what an honest crash
 * leaves behind, a last change that is not all there, is told apart; undefined where everything is in order.
 */
export function lossOf(log: Uint8Array): LogLoss | undefined {
  const scan = new LogScan(log);
  scan.run();
  return scan.loss();
}

class LogScan {
  readonly #log: Uint8Array;
  readonly #view: DataView;
  readonly #lost: (readonly [start: number, end: number])[] = [];
  #damagedBytes = 0;
  #cutBytes = 0;
  /** Where the change that is being put together began; undefined between changes. */
  #begun: number | undefined;
  /** Where the next change should be in the order of all changes. */
  #nextSequence: bigint | undefined;

  constructor(log: Uint8Array) {
    this.#log = log;
    this.#view = new DataView(log.buffer, log.byteOffset, log.byteLength);
  }

  run(): void {
    let at = 0;
    while (at < this.#log.length) {
      const blockEnd = Math.min(this.#log.length, at - (at % BLOCK_BYTES) + BLOCK_BYTES);
      const piece = this.#pieceAt(at, blockEnd);
      if (piece === 'end') break;
      if (piece === undefined) at = blockEnd;
      else {
        this.#take(piece, at);
        at = piece.end;
      }
    }
    if (this.#begun !== undefined) this.#cut(this.#begun);
  }

  loss(): LogLoss | undefined {
    if (this.#damagedBytes === 0 && this.#cutBytes === 0) return undefined;
    const keys = new Set(this.#lost.flatMap(([start, end]) => keysIn(this.#log.subarray(start, end))));
    return {
      damagedBytes: this.#damagedBytes,
      cutBytes: this.#cutBytes,
      keys: [...keys].slice(0, MOST_NAMED),
    };
  }

  /** Undefined: nothing more in this block. */
  #pieceAt(at: number, blockEnd: number): Piece | 'end' | undefined {
    const isLastBlock = blockEnd === this.#log.length;
    if (blockEnd - at < HEADER_BYTES) {
      if (isLastBlock && blockEnd % BLOCK_BYTES !== 0) this.#cut(this.#begun ?? at);
      return isLastBlock ? 'end' : undefined;
    }
    const length = this.#view.getUint16(at + 4, true);
    const type = this.#log[at + 6] ?? ZERO;
    const end = at + HEADER_BYTES + length;
    if (type === ZERO && length === 0) return this.#nothingFrom(at, blockEnd);
    if (end > blockEnd) {
      if (isLastBlock) this.#cut(this.#begun ?? at);
      else this.#damage(at, blockEnd);
      return isLastBlock ? 'end' : undefined;
    }
    const stored = this.#view.getUint32(at, true);
    const isGood = type <= LAST && fitsChecksum(stored, this.#log.subarray(at + 6, end));
    if (isGood) return { type, end };
    this.#damage(at, blockEnd);
    return undefined;
  }

  /** Space that was set aside and never written is zeros to its end. */
  #nothingFrom(at: number, blockEnd: number): undefined {
    if (this.#log.subarray(at, blockEnd).some((byte) => byte !== 0)) this.#damage(at, blockEnd);
  }

  #take({ type, end }: Piece, at: number): void {
    const begins = type === FULL || type === FIRST;
    if (begins && this.#begun !== undefined) this.#damage(this.#begun, at);
    if (!begins && this.#begun === undefined) {
      this.#damage(at, end);
      return;
    }
    if (begins) {
      this.#begun = at;
      this.#follow(at + HEADER_BYTES, end);
    }
    if (type === FULL || type === LAST) this.#begun = undefined;
  }

  /** Changes are numbered without gaps, so one that is missing shows although nothing around it is damaged. */
  #follow(at: number, end: number): void {
    if (end - at < BATCH_HEADER_BYTES) return;
    const sequence = this.#view.getBigUint64(at, true);
    const count = BigInt(this.#view.getUint32(at + 8, true));
    const isGap = this.#nextSequence !== undefined && sequence > this.#nextSequence;
    if (isGap && this.#damagedBytes === 0) this.#damagedBytes += 1;
    this.#nextSequence = sequence + count;
  }

  #damage(start: number, end: number): void {
    const from = this.#begun ?? start;
    this.#begun = undefined;
    this.#damagedBytes += end - from;
    this.#lost.push([from, end]);
  }

  #cut(start: number): void {
    this.#begun = undefined;
    this.#cutBytes += this.#log.length - start;
    this.#lost.push([start, this.#log.length]);
  }
}

const BUCKETS: ReadonlySet<string> = new Set(Object.values(buckets));
const KEY = /([a-z][a-z-]*)![\x21-\x7e]+/g;

/** Names of records in bytes of which nothing else can be trusted. A key has its length in front of it. */
function keysIn(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const keys: string[] = [];
  for (const match of text.matchAll(KEY)) {
    const bucket = [...BUCKETS].find((name) => match[1] === name || match[1]?.endsWith(name) === true);
    if (bucket === undefined || keys.length >= MOST_NAMED) continue;
    const start = match.index + (match[1]?.length ?? 0) - bucket.length;
    const length = bytes[start - 1] ?? 0;
    const key = text.slice(start, match.index + match[0].length).slice(0, length < 128 ? length : undefined);
    if (key.length > bucket.length + 1) keys.push(key);
  }
  return keys;
}
