import type { CID } from 'multiformats/cid';
import { assert } from '../lib/assert.ts';
import { CodedError } from '../lib/coded-error.ts';
import type { BlockStore } from './block-store.ts';
import type { DiskReserve } from './disk-reserve.ts';
import { MAX_BLOCK_BYTES } from './content-id.ts';
import type { ContentLimits } from './options.ts';
import type { ContentRecords } from './ports.ts';

/** Blocks of one intake that are being written at once: what it may hold in memory. */
const WRITES_AHEAD = 4;

interface StagedBlock {
  readonly cid: CID;
  readonly size: number;
  /** Of a block that goes into the database, with the record of its object. Left out: it is a file. */
  readonly inline?: Uint8Array;
  readonly written: Promise<void>;
  intakes: number;
}

/** Where the bytes of an object's blocks are, as its record says it. */
export interface Placement {
  readonly inline: readonly string[];
  /** Of those that are not in the database yet. */
  readonly bytes: ReadonlyMap<string, Uint8Array>;
}

/** Blocks that belong to imports and fetches under way: here and counted, but not yet part of any object. */
export class Staging {
  readonly #blocks: BlockStore;
  readonly #records: ContentRecords;
  readonly #limits: ContentLimits;
  readonly #staged = new Map<string, StagedBlock>();
  readonly #reserve: DiskReserve | undefined;
  #bytes = 0;
  #inlineBytes = 0;

  constructor(blocks: BlockStore, records: ContentRecords, limits: ContentLimits, reserve?: DiskReserve) {
    this.#reserve = reserve;
    this.#blocks = blocks;
    this.#records = records;
    this.#limits = limits;
  }

  room(): { readonly freeBytes: number; readonly quotaBytes: number } {
    const quotaBytes = this.#limits.maxTotalBytes;
    return { freeBytes: Math.max(0, quotaBytes - this.#records.bytes - this.#bytes), quotaBytes };
  }

  begin(): Intake {
    return new Intake(this, this.#limits);
  }

  /** Makes the staged ones of these blocks durable that are files. */
  sync(keys: Iterable<string>): Promise<void> {
    return this.#blocks.sync(
      [...keys].filter((key) => {
        const block = this.#staged.get(key);
        return block !== undefined && block.inline === undefined;
      }),
    );
  }

  sizeOf(key: string): number | undefined {
    return this.#staged.get(key)?.size ?? this.#records.blockSize(key);
  }

  async read(cid: CID): Promise<Uint8Array> {
    return this.#staged.get(cid.toString())?.inline ?? (await this.#blocks.read(cid));
  }

  placementOf(keys: Iterable<string>): Placement {
    const inline: string[] = [];
    const bytes = new Map<string, Uint8Array>();
    for (const key of keys) {
      if (this.#records.isInline(key)) {
        inline.push(key);
        continue;
      }
      const waiting = this.#staged.get(key)?.inline;
      if (waiting === undefined) continue;
      inline.push(key);
      bytes.set(key, waiting);
    }
    return { inline, bytes };
  }

  /**
   * Holds the block, and stages it where it is not stored already. With `mayBeInline` its bytes wait in memory for the
   * record that takes them along, as long as the database has room for them.
   */
  async enter(cid: CID, bytes: Uint8Array, mayBeInline: boolean): Promise<'held' | 'staged'> {
    const key = cid.toString();
    if (this.sizeOf(key) === undefined) await this.#reserve?.take(bytes.length);
    for (let left = this.#blocks.leaving(key); left !== undefined; left = this.#blocks.leaving(key))
      await left;
    const known = this.#staged.get(key);
    if (known === undefined && this.#records.blockSize(key) === undefined) {
      this.#requireRoom(bytes.length);
      this.#stage(cid, bytes, mayBeInline);
    } else if (known !== undefined) {
      known.intakes += 1;
    }
    this.#blocks.hold(key);
    return this.#staged.has(key) ? 'staged' : 'held';
  }

  written(key: string): Promise<void> {
    return this.#staged.get(key)?.written ?? Promise.resolve();
  }

  /** Ends one intake's use of a block; nothing is left of a block that no object and no other intake has. */
  async leave(key: string, as: 'held' | 'staged'): Promise<void> {
    this.#blocks.release(key);
    if (as === 'held') return;
    const block = this.#staged.get(key);
    assert(block !== undefined, 'an intake leaves a block that it has entered');
    block.intakes -= 1;
    if (block.intakes > 0) return;
    this.#staged.delete(key);
    this.#bytes -= block.size;
    if (block.inline !== undefined) this.#inlineBytes -= block.size;
    else if (this.#records.blockSize(key) === undefined)
      await this.#blocks.remove([key], Promise.resolve(true));
  }

  #requireRoom(bytes: number): void {
    if (bytes <= this.room().freeBytes) return;
    throw new CodedError(
      'QUOTA_EXCEEDED',
      'The content store is full (limits.contentQuotaBytes). Raise it, or wait until content that nobody keeps is collected.',
      { data: { maxTotalBytes: this.#limits.maxTotalBytes } },
    );
  }

  #stage(cid: CID, bytes: Uint8Array, mayBeInline: boolean): void {
    const key = cid.toString();
    const size = bytes.length;
    const inlineBytes = this.#records.inlineBytes + this.#inlineBytes + size;
    this.#bytes += size;
    if (mayBeInline && inlineBytes <= this.#limits.inlineTotalBytes) {
      this.#inlineBytes += size;
      this.#staged.set(key, { cid, size, inline: bytes.slice(), written: Promise.resolve(), intakes: 1 });
      return;
    }
    const written = this.#blocks.write(key, bytes);
    written.catch(() => {});
    this.#staged.set(key, { cid, size, written, intakes: 1 });
  }
}

/** The blocks of one import or fetch. It ends with exactly one {@link end}, whether it came to an object or not. */
export class Intake {
  readonly #staging: Staging;
  readonly #limits: ContentLimits;
  readonly #entered = new Map<string, 'held' | 'staged'>();
  readonly #writing = new Set<Promise<void>>();
  #bytes = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(staging: Staging, limits: ContentLimits) {
    this.#staging = staging;
    this.#limits = limits;
  }

  /** Takes a block; resolves when there is room for another. A write that failed is told by the next call. */
  async offer(cid: CID, bytes: Uint8Array): Promise<void> {
    const key = cid.toString();
    this.#throwFailure();
    if (this.#entered.has(key)) return;
    if (bytes.length > MAX_BLOCK_BYTES) {
      throw new CodedError('CONTENT_TOO_LARGE', 'A folder has more entries than fit into one block.');
    }
    this.#bytes += bytes.length;
    if (this.#bytes > this.#limits.maxObjectBytes) {
      throw new CodedError(
        'CONTENT_TOO_LARGE',
        `The content is larger than the ${this.#limits.maxObjectBytes} bytes that one object may have.`,
      );
    }
    const isSmall = this.#bytes <= this.#limits.inlineObjectBytes;
    this.#entered.set(key, await this.#staging.enter(cid, bytes, isSmall));
    this.#follow(this.#staging.written(key));
    while (this.#writing.size >= WRITES_AHEAD) await Promise.race(this.#writing);
    this.#throwFailure();
  }

  sizeOf(key: string): number | undefined {
    return this.#staging.sizeOf(key);
  }

  read(cid: CID): Promise<Uint8Array> {
    return this.#staging.read(cid);
  }

  /** Resolves when all blocks that are files are durable. */
  async settle(): Promise<void> {
    await Promise.all(this.#writing);
    this.#throwFailure();
    await this.#staging.sync(this.#entered.keys());
  }

  async end(): Promise<void> {
    await Promise.all(this.#writing);
    const entered = [...this.#entered];
    this.#entered.clear();
    await Promise.all(entered.map(([key, as]) => this.#staging.leave(key, as)));
  }

  #follow(written: Promise<void>): void {
    const followed: Promise<void> = written
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#writing.delete(followed));
    this.#writing.add(followed);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
