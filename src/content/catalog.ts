import type { CID } from 'multiformats/cid';
import type { ContentAddition, ContentChange, StoredObject } from '../domain/program/stored-content.ts';
import type { Clock } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import { KeyedLane } from '../lib/keyed-lane.ts';
import type { BlockStore } from './block-store.ts';
import type { Collector } from './collector.ts';
import { requireContentId } from './content-id.ts';
import type { DagBounds, DagTotals } from './dag-check.ts';
import type { ContentLimits } from './options.ts';
import type { ContentRecords } from './ports.ts';
import type { Placement, Staging } from './staging.ts';
import { type BlockSource, measure } from './unixfs-reader.ts';

interface CatalogNeeds {
  readonly records: ContentRecords;
  readonly blocks: BlockStore;
  readonly staging: Pick<Staging, 'placementOf'>;
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
  readonly #records: ContentRecords;
  readonly #ownerLane = new KeyedLane();

  constructor(limits: ContentLimits, needs: CatalogNeeds) {
    this.#limits = limits;
    this.#needs = needs;
    this.#records = needs.records;
    this.source = {
      sizeOf: (key) => this.#records.blockSize(key),
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
    return this.#records.blockSize(key) !== undefined && this.#needs.blocks.leaving(key) === undefined;
  }

  isPublic(key: string): boolean {
    return this.isPresent(key) && this.#records.object(key)?.isPublic === true;
  }

  /** What is below `root` when it is here: as it was written down, or added up where it is part of something larger. */
  async objectAt(root: CID | undefined): Promise<StoredObject | undefined> {
    if (root === undefined) return undefined;
    const cid = root.toString();
    if (!this.isPresent(cid)) return undefined;
    const known = this.#records.object(cid);
    if (known !== undefined) return known;
    const totals = await measure(root, this.source, this.bounds(Number.POSITIVE_INFINITY));
    return this.#objectOf(cid, totals, this.#placementOf(totals).inline, false);
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
    return this.#records.object(object.cid);
  }

  /** Writes down that an object is here in full. Its blocks must be held or staged, and those that are files durable. */
  record(cid: string, totals: DagTotals, isPublic: boolean): Promise<void> {
    const { clock, collector, lane } = this.#needs;
    return lane.run(cid, async () => {
      const storedAt = clock.livedMs();
      const known = this.#records.object(cid);
      const changes: ContentChange[] = [];
      if (known === undefined) {
        changes.push(this.addition(cid, totals, isPublic));
      } else {
        if (isPublic && !known.isPublic) changes.push({ op: 'publish', cid });
        if (storedAt - known.storedAt > this.#limits.collectAfterMs / 2) {
          changes.push({ op: 'touch', cid, storedAt });
        }
      }
      if (changes.length > 0) await this.#records.commit(changes);
      collector.touch(cid);
    });
  }

  /** The change that makes content an object, for whoever writes it. */
  addition(cid: string, totals: DagTotals, isPublic: boolean): ContentAddition {
    const { inline, bytes } = this.#placementOf(totals);
    return { op: 'add', object: this.#objectOf(cid, totals, inline, isPublic), bytes };
  }

  /**
   * Holds an object that is here, so that somebody can pin it with a write of their own; undefined when it is not here.
   * Whoever holds it releases it when that write is durable.
   */
  async holdToKeep(
    root: CID,
  ): Promise<{ readonly object: StoredObject; readonly release: () => void } | undefined> {
    if ((await this.recorded(root)) === undefined) return undefined;
    const cid = root.toString();
    return await this.#needs.lane.run(cid, async () => {
      const object = this.#records.object(cid);
      return object === undefined ? undefined : { object, release: this.#hold(object) };
    });
  }

  /** Throws `CONTENT_UNAVAILABLE` or `QUOTA_EXCEEDED`. */
  async pin(cid: string, owner: string): Promise<void> {
    const root = requireContentId(cid);
    const key = root.toString();
    await this.#ownerLane.run(owner, async () => {
      const object = await this.recorded(root);
      if (object === undefined) throw gone(key);
      if (this.#records.pinsOf(owner).has(key)) return;
      this.allowanceOf(owner)(object);
      // Written in the turn of the object but not waited for in it, so that many pins of one object share a sync.
      const { kept } = await this.#needs.lane.run(key, async () => {
        if (this.#records.object(key) === undefined) throw gone(key);
        const release = this.#hold(object);
        return { kept: this.#records.commit([{ op: 'pin', cid: key, owner }]).finally(release) };
      });
      await kept;
    });
  }

  async unpin(owner: string): Promise<void> {
    await this.#ownerLane.run(owner, async () => {
      const kept = [...this.#records.pinsOf(owner)];
      if (kept.length === 0) return;
      await this.#records.commit([{ op: 'unpin', owner }]);
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

  /** Counts what an owner keeps and is to keep; what it gives throws `QUOTA_EXCEEDED` for an object that is too much. */
  allowanceOf(owner: string): (object: StoredObject) => void {
    const kept = this.#records.pinsOf(owner);
    let pins = kept.size;
    let bytes = 0;
    for (const cid of kept) bytes += blockBytesOf(this.#records.object(cid));
    return (object) => {
      const added = blockBytesOf(object);
      if (bytes + added > this.#limits.maxOwnerBytes || pins >= this.#limits.maxPinsPerOwner) {
        throw new CodedError('QUOTA_EXCEEDED', 'There is more content than one owner may keep here.', {
          data: { owner, maxOwnerBytes: this.#limits.maxOwnerBytes },
        });
      }
      bytes += added;
      pins += 1;
    };
  }

  #placementOf({ blocks }: DagTotals): Placement {
    return this.#needs.staging.placementOf(blocks.map(([key]) => key));
  }

  #objectOf(
    cid: string,
    { bytes, blocks }: DagTotals,
    inline: readonly string[],
    isPublic: boolean,
  ): StoredObject {
    return { cid, bytes, isPublic, storedAt: this.#needs.clock.livedMs(), blocks, inline };
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
}
