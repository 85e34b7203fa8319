import type { ContentRecords } from '../content/ports.ts';
import type { ContentChange, StoredObject } from '../domain/program/stored-content.ts';
import { buckets, keyOf } from './buckets.ts';
import type { CommitQueue } from './commit-queue.ts';
import { ContentIndex } from './content-index.ts';
import type { Database, Operation } from './database.ts';
import { KeySet, lastPartOf, Repository } from './records.ts';

/** Changes of content as part of a batch, whichever commit carries it. */
export interface ContentWrite {
  readonly operations: readonly Operation[];
  /** To be called when the queue has taken the operations. */
  taken(): void;
  /** To be called when they are on disk, in the order of the batches. */
  durable(): void;
}

type Newest = Map<string, { readonly object: StoredObject | undefined }>;

const OF_OBJECT = ['bytes', 'isPublic', 'storedAt', 'blocks', 'inline'];

/** Objects, pins and small blocks on a database, with all but the blocks in memory. */
export class LevelContentRecords implements ContentRecords {
  readonly #database: Database;
  readonly #queue: CommitQueue;
  readonly #objects: Repository<StoredObject>;
  readonly #pins: KeySet;
  readonly #index = new ContentIndex();
  /** Objects as they will be when everything that waits is written; undefined for one that goes. */
  readonly #newest: Newest = new Map();
  /** Pins that are being written, by owner. */
  readonly #newPins = new Map<string, Set<string>>();

  constructor(database: Database, queue: CommitQueue) {
    this.#database = database;
    this.#queue = queue;
    this.#objects = new Repository(database, buckets.contentObject, ({ cid }) => keyOf(cid), OF_OBJECT);
    this.#pins = new KeySet(database, buckets.contentPin);
  }

  /** Before the first commit. Pins of objects that could not be read are let go of. */
  async load(): Promise<void> {
    for await (const object of this.#objects.values()) {
      this.#index.apply({ op: 'add', object, bytes: new Map() });
    }
    const stale: Operation[] = [];
    for await (const key of this.#pins.keys()) {
      const cid = lastPartOf(key);
      const owner = key.slice(0, -cid.length - 1);
      if (this.#index.object(cid) === undefined) stale.push(this.#pins.remove(key));
      else this.#index.apply({ op: 'pin', cid, owner });
    }
    if (stale.length > 0) await this.#queue.commit(stale);
  }

  /** Forgets objects whose blocks in the database are not all there: for a store that has lost some of its changes. */
  async dropBroken(): Promise<void> {
    const present = new Set<string>();
    for await (const cid of new KeySet(this.#database, buckets.contentBlock).keys()) present.add(cid);
    const broken = [...this.#index.objects()].filter(
      ({ inline }) => !inline.every((cid) => present.has(cid)),
    );
    for (const { cid } of broken) await this.commit([{ op: 'drop', cid }]);
  }

  get bytes(): number {
    return this.#index.bytes;
  }

  get inlineBytes(): number {
    return this.#index.inlineBytes;
  }

  object(cid: string): StoredObject | undefined {
    return this.#index.object(cid);
  }

  objects(): Iterable<StoredObject> {
    return this.#index.objects();
  }

  blockSize(cid: string): number | undefined {
    return this.#index.blockSize(cid);
  }

  isInline(cid: string): boolean {
    return this.#index.isInline(cid);
  }

  isPinned(cid: string): boolean {
    return this.#index.isPinned(cid);
  }

  pinsOf(owner: string): ReadonlySet<string> {
    return this.#index.pinsOf(owner);
  }

  ownBlocksOf(object: StoredObject): readonly string[] {
    return this.#index.ownBlocksOf(object);
  }

  async inlineBlock(cid: string): Promise<Uint8Array | undefined> {
    return await this.#database.get(blockKey(cid));
  }

  async commit(changes: readonly ContentChange[]): Promise<void> {
    const write = this.change(changes);
    const written = this.#queue.commit(write.operations, () => write.durable());
    write.taken();
    await written;
  }

  /** What the changes come to on top of all that waits. Nothing has changed before `taken` is called. */
  change(changes: readonly ContentChange[]): ContentWrite {
    const objects: Newest = new Map();
    const operations: Operation[] = [];
    for (const change of changes) {
      if (change.op === 'unpin') operations.push(...this.#unpinned(change.owner, changes));
      else operations.push(...this.#operationsOf(change, objects));
    }
    return {
      operations,
      taken: () => {
        for (const [cid, newest] of objects) this.#newest.set(cid, newest);
        for (const change of changes) if (change.op === 'pin') this.#pinWaits(change.owner, change.cid);
      },
      durable: () => {
        for (const [cid, newest] of objects) {
          if (this.#newest.get(cid) === newest) this.#newest.delete(cid);
        }
        for (const change of changes) {
          this.#index.apply(change);
          if (change.op === 'pin') this.#pinIsWritten(change.owner, change.cid);
        }
      },
    };
  }

  /** Also of what waits, and of what is pinned together with it. */
  #unpinned(owner: string, changes: readonly ContentChange[]): readonly Operation[] {
    const kept = new Set([...this.pinsOf(owner), ...(this.#newPins.get(owner) ?? [])]);
    for (const change of changes) if (change.op === 'pin' && change.owner === owner) kept.add(change.cid);
    return [...kept].map((cid) => this.#pins.remove(pinKey(owner, cid)));
  }

  #operationsOf(
    change: Exclude<ContentChange, { readonly op: 'unpin' }>,
    objects: Newest,
  ): readonly Operation[] {
    const cid = change.op === 'add' ? change.object.cid : change.cid;
    const newest = objects.get(cid) ?? this.#newest.get(cid);
    const before = newest === undefined ? this.#index.object(cid) : newest.object;
    if (change.op === 'pin') return before === undefined ? [] : [this.#pins.put(pinKey(change.owner, cid))];
    const after = changed(before, change);
    if (after === before) return [];
    objects.set(cid, { object: after });
    if (change.op === 'drop') return before === undefined ? [] : this.#dropped(before);
    const blocks = change.op === 'add' && before === undefined ? [...change.bytes] : [];
    return [
      ...blocks.map(([block, value]) => ({ type: 'put', key: blockKey(block), value }) as const),
      ...(after === undefined ? [] : [this.#objects.put(after)]),
    ];
  }

  #dropped(object: StoredObject): readonly Operation[] {
    const { cid } = object;
    const inline = this.ownBlocksOf(object).filter((block) => this.isInline(block));
    return [
      this.#objects.remove(cid),
      ...this.#index.ownersOf(cid).map((owner) => this.#pins.remove(pinKey(owner, cid))),
      ...inline.map((block) => ({ type: 'del', key: blockKey(block) }) as const),
    ];
  }

  #pinWaits(owner: string, cid: string): void {
    this.#newPins.set(owner, (this.#newPins.get(owner) ?? new Set()).add(cid));
  }

  #pinIsWritten(owner: string, cid: string): void {
    const waiting = this.#newPins.get(owner);
    if (waiting?.delete(cid) === true && waiting.size === 0) this.#newPins.delete(owner);
  }
}

/** The same object where nothing of its record changes. */
function changed(
  before: StoredObject | undefined,
  change: Extract<ContentChange, { readonly op: 'add' | 'touch' | 'publish' | 'drop' }>,
): StoredObject | undefined {
  if (change.op === 'drop') return undefined;
  if (before === undefined) return change.op === 'add' ? change.object : undefined;
  if (change.op === 'touch') return { ...before, storedAt: change.storedAt };
  const isPublic = change.op === 'publish' || change.object.isPublic;
  return isPublic && !before.isPublic ? { ...before, isPublic } : before;
}

function pinKey(owner: string, cid: string): string {
  return keyOf(owner, cid);
}

/** Bytes as they are: a block is checked by its id whenever it is read. */
function blockKey(cid: string): string {
  return `${buckets.contentBlock}!${keyOf(cid)}`;
}
