import type { CID } from 'multiformats/cid';
import { assert } from '../lib/assert.ts';
import { CodedError } from '../lib/coded-error.ts';
import type { BlockStore } from './block-store.ts';
import type { DiskReserve } from './disk-reserve.ts';
import { MAX_BLOCK_BYTES } from './content-id.ts';
import type { Inventory } from './inventory.ts';
import type { ContentLimits } from './options.ts';

/** Blocks of one intake that are being written at once: what it may hold in memory. */
const WRITES_AHEAD = 4;

interface StagedBlock {
  readonly cid: CID;
  readonly size: number;
  readonly written: Promise<void>;
  intakes: number;
}

/** Blocks that belong to imports and fetches under way: on the shelf and counted, but not yet part of any object. */
export class Staging {
  readonly #blocks: BlockStore;
  readonly #inventory: Inventory;
  readonly #limits: ContentLimits;
  readonly #staged = new Map<string, StagedBlock>();
  readonly #reserve: DiskReserve | undefined;
  #bytes = 0;

  constructor(blocks: BlockStore, inventory: Inventory, limits: ContentLimits, reserve?: DiskReserve) {
    this.#reserve = reserve;
    this.#blocks = blocks;
    this.#inventory = inventory;
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  room(): { readonly freeBytes: number; readonly quotaBytes: number } {
    const quotaBytes = this.#limits.maxTotalBytes;
    return { freeBytes: Math.max(0, quotaBytes - this.#inventory.bytes - this.#bytes), quotaBytes };
  }

  begin(): Intake {
    return new Intake(this, this.#limits);
  }

  /** Makes the staged ones of these blocks durable. */
  sync(keys: Iterable<string>): Promise<void> {
    return this.#blocks.sync([...keys].flatMap((key) => this.#staged.get(key)?.cid ?? []));
  }

  sizeOf(key: string): number | undefined {
    return this.#staged.get(key)?.size ?? this.#inventory.blockSize(key);
  }

  read(cid: CID): Promise<Uint8Array> {
    return this.#blocks.read(cid);
  }

  /** Holds the block where it is stored already, else writes it; the promise is that of its write. */
  async enter(cid: CID, bytes: Uint8Array): Promise<'held' | 'staged'> {
    const key = cid.toString();
    if (this.sizeOf(key) === undefined) await this.#reserve?.take(bytes.length);
    for (let left = this.#blocks.leaving(key); left !== undefined; left = this.#blocks.leaving(key))
      await left;
    if (this.#inventory.blockSize(key) !== undefined) {
      this.#blocks.hold(key);
      return 'held';
    }
    const known = this.#staged.get(key);
    if (known !== undefined) {
      known.intakes += 1;
      return 'staged';
    }
    if (bytes.length > this.room().freeBytes) {
      throw new CodedError(
        'QUOTA_EXCEEDED',
        'The content store is full (limits.contentQuotaBytes). Raise it, or wait until content that nobody keeps is collected.',
        { data: { maxTotalBytes: this.#limits.maxTotalBytes } },
      );
    }
    const written = this.#blocks.write(cid, bytes);
    written.catch(() => {});
    this.#staged.set(key, { cid, size: bytes.length, written, intakes: 1 });
    this.#bytes += bytes.length;
    return 'staged';
  }

  written(key: string): Promise<void> {
    return this.#staged.get(key)?.written ?? Promise.resolve();
  }

  /** Ends one intake's use of a block; nothing is left of a block that no object and no other intake has. */
  async leave(key: string, as: 'held' | 'staged'): Promise<void> {
    if (as === 'held') {
      this.#blocks.release(key);
      return;
    }
    const block = this.#staged.get(key);
    assert(block !== undefined, 'an intake leaves a block that it has entered');
    block.intakes -= 1;
    if (block.intakes > 0) return;
    this.#staged.delete(key);
    this.#bytes -= block.size;
    if (this.#inventory.blockSize(key) === undefined) {
      await this.#blocks.remove([block.cid], Promise.resolve(true));
    }
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
    this.#entered.set(key, await this.#staging.enter(cid, bytes));
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

  /** Resolves when all blocks are durable. */
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
