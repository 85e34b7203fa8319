import type { CID } from 'multiformats/cid';
import type { Clock } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import { KeyedLane } from '../lib/keyed-lane.ts';
import { type BlockStore, storeFailed } from './block-store.ts';
import type { Collector } from './collector.ts';
import { requireContentId } from './content-id.ts';
import type { DagBounds, DagTotals } from './dag-check.ts';
import type { InventoryBook } from './inventory-book.ts';
import type { Inventory, InventoryEntry, StoredObject } from './inventory.ts';
import type { ContentLimits } from './options.ts';
import { type BlockSource, measure } from './unixfs-reader.ts';

interface CatalogNeeds {
  readonly book: InventoryBook;
  readonly blocks: BlockStore;
  readonly collector: Collector;
  readonly clock: Clock;
  /** Changes of one object, one at a time. */
  readonly lane: KeyedLane;
}

/** Nodes beside the leaves: so much, and so much more for each byte of content. */
const NODE_BYTES_BASE = 4 * 1024 * 1024;
const NODE_BYTES_SHARE = 1 / 64;

export function gone(cid: string): CodedError {
  return new CodedError('CONTENT_UNAVAILABLE', `The content ${cid} is not here in full.`);
}

function blockBytesOf(object: StoredObject | undefined): number {
  return object?.blocks.reduce((sum, [, size]) => sum + size, 0) ?? 0;
}

/** The objects that are here in full: finding, recording, keeping and holding them. */
export class Catalog {
  readonly source: BlockSource;
  readonly #limits: ContentLimits;
  readonly #needs: CatalogNeeds;
  readonly #inventory: Inventory;
  readonly #ownerLane = new KeyedLane();

  constructor(limits: ContentLimits, needs: CatalogNeeds) {
    this.#limits = limits;
    this.#needs = needs;
    this.#inventory = needs.book.inventory;
    this.source = {
      sizeOf: (key) => this.#inventory.blockSize(key),
      read: (cid) => needs.blocks.read(cid),
    };
  }

  bounds(maxBytes: number): DagBounds {
    return {
      maxBytes,
      maxBlocks: this.#limits.maxObjectBlocks,
      maxEntries: this.#limits.maxEntries,
      maxNodeBytes: NODE_BYTES_BASE + maxBytes * NODE_BYTES_SHARE,
    };
  }

  /** A block is only ever present with everything below it. */
  isPresent(key: string): boolean {
    return this.#inventory.blockSize(key) !== undefined && this.#needs.blocks.leaving(key) === undefined;
  }

  isPublic(key: string): boolean {
    return this.isPresent(key) && this.#inventory.object(key)?.isPublic === true;
  }

  /** What is below `root` when it is here: as it was written down, or added up where it is part of something larger. */
  async objectAt(root: CID | undefined): Promise<StoredObject | undefined> {
    if (root === undefined) return undefined;
    const cid = root.toString();
    if (!this.isPresent(cid)) return undefined;
    const known = this.#inventory.object(cid);
    if (known !== undefined) return known;
    const totals = await measure(root, this.source, this.bounds(Number.POSITIVE_INFINITY));
    return { cid, isPublic: false, storedAt: this.#needs.clock.livedMs(), ...totals };
  }

  /** As {@link objectAt}, and from now on an object of its own that is not collected soon. */
  async recorded(root: CID): Promise<StoredObject | undefined> {
    const object = await this.objectAt(root);
    if (object === undefined) return undefined;
    const release = this.#hold(object);
    try {
      await this.record(object.cid, object, false);
    } finally {
      release();
    }
    return this.#inventory.object(object.cid);
  }

  /** Writes down that an object is here in full. Its blocks must be durable, and held or staged. */
  record(cid: string, totals: DagTotals, isPublic: boolean): Promise<void> {
    const { clock, collector, lane } = this.#needs;
    return lane.run(cid, async () => {
      const { bytes, blocks } = totals;
      const storedAt = clock.livedMs();
      const known = this.#inventory.object(cid);
      const entries: InventoryEntry[] = [];
      if (known === undefined) {
        entries.push({ op: 'add', object: { cid, bytes, isPublic, storedAt, blocks } });
      } else {
        if (isPublic && !known.isPublic) entries.push({ op: 'publish', cid });
        if (storedAt - known.storedAt > this.#limits.collectAfterMs / 2) {
          entries.push({ op: 'touch', cid, storedAt });
        }
      }
      if (entries.length > 0) await this.#commit(...entries);
      collector.touch(cid);
    });
  }

  /** Throws `CONTENT_UNAVAILABLE` or `QUOTA_EXCEEDED`. */
  async pin(cid: string, owner: string): Promise<void> {
    const root = requireContentId(cid);
    const key = root.toString();
    await this.#ownerLane.run(owner, async () => {
      const object = await this.recorded(root);
      if (object === undefined) throw gone(key);
      if (this.#inventory.pinsOf(owner).has(key)) return;
      this.#checkOwnerQuota(owner, object);
      // Written in the turn of the object but not waited for in it, so that many pins of one object share a sync.
      const { kept } = await this.#needs.lane.run(key, async () => {
        if (this.#inventory.object(key) === undefined) throw gone(key);
        const release = this.#hold(object);
        return { kept: this.#commit({ op: 'pin', cid: key, owner }).finally(release) };
      });
      await kept;
    });
  }

  async unpin(owner: string): Promise<void> {
    await this.#ownerLane.run(owner, async () => {
      const kept = [...this.#inventory.pinsOf(owner)];
      if (kept.length === 0) return;
      await this.#commit({ op: 'unpin', owner });
      for (const cid of kept) this.#needs.collector.letGo(cid);
    });
  }

  /** Gives `bytes`, and keeps the object's blocks while they are being read. */
  async *whileHeld(object: StoredObject, bytes: () => AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const release = this.#hold(object);
    try {
      yield* bytes();
    } finally {
      release();
    }
  }

  #hold(object: StoredObject): () => void {
    const { blocks } = this.#needs;
    const keys = object.blocks.map(([key]) => key);
    if (!keys.every((key) => this.isPresent(key))) throw gone(object.cid);
    for (const key of keys) blocks.hold(key);
    return () => {
      for (const key of keys) blocks.release(key);
    };
  }

  #checkOwnerQuota(owner: string, object: StoredObject): void {
    const kept = [...this.#inventory.pinsOf(owner)];
    const bytes = kept.reduce(
      (sum, cid) => sum + blockBytesOf(this.#inventory.object(cid)),
      blockBytesOf(object),
    );
    if (bytes <= this.#limits.maxOwnerBytes && kept.length < this.#limits.maxPinsPerOwner) return;
    throw new CodedError('QUOTA_EXCEEDED', 'There is more content than one owner may keep here.', {
      data: { owner, maxOwnerBytes: this.#limits.maxOwnerBytes },
    });
  }

  async #commit(...entries: readonly InventoryEntry[]): Promise<void> {
    try {
      await this.#needs.book.commit(...entries);
    } catch (cause) {
      throw cause instanceof CodedError ? cause : storeFailed(cause);
    }
  }
}
