import { z } from 'zod';

/** Content that is here in full: the id of its root, the bytes of its files, and its blocks in serving order. */
export interface StoredObject {
  readonly cid: string;
  readonly bytes: number;
  readonly isPublic: boolean;
  /** Lived time of the last storing. */
  readonly storedAt: number;
  readonly blocks: readonly (readonly [cid: string, size: number])[];
}

const size = z.number().int().nonnegative();

const inventoryEntry = z.discriminatedUnion('op', [
  z.object({
    op: z.literal('add'),
    object: z.object({
      cid: z.string(),
      bytes: size,
      isPublic: z.boolean(),
      storedAt: z.number(),
      blocks: z.array(z.tuple([z.string(), size])),
    }),
  }),
  z.object({ op: z.literal('touch'), cid: z.string(), storedAt: z.number() }),
  z.object({ op: z.literal('publish'), cid: z.string() }),
  z.object({ op: z.literal('drop'), cid: z.string() }),
  z.object({ op: z.literal('pin'), cid: z.string(), owner: z.string() }),
  z.object({ op: z.literal('unpin'), owner: z.string() }),
]);

/** One change of the inventory, as the journal keeps it. */
export type InventoryEntry =
  | { readonly op: 'add'; readonly object: StoredObject }
  | { readonly op: 'touch'; readonly cid: string; readonly storedAt: number }
  | { readonly op: 'publish'; readonly cid: string }
  | { readonly op: 'drop'; readonly cid: string }
  | { readonly op: 'pin'; readonly cid: string; readonly owner: string }
  | { readonly op: 'unpin'; readonly owner: string };

export function encodeEntry(entry: InventoryEntry): string {
  return JSON.stringify(entry);
}

/** Undefined for a line of another version. */
export function decodeEntry(line: string): InventoryEntry | undefined {
  return inventoryEntry.safeParse(JSON.parse(line)).data;
}

interface BlockRecord {
  readonly size: number;
  objects: number;
}

/**
 * What is stored and who keeps it: nothing but the sum of the entries applied. A block counts once, however many
 * objects have it, and every block of it is here in full with all that is below it.
 */
export class Inventory {
  readonly #blocks = new Map<string, BlockRecord>();
  readonly #objects = new Map<string, StoredObject>();
  readonly #pins = new Map<string, Set<string>>();
  readonly #keepers = new Map<string, number>();
  #bytes = 0;

  /** Bytes of all blocks. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many entries would bring this state about. */
  get entryCount(): number {
    let pins = 0;
    for (const kept of this.#pins.values()) pins += kept.size;
    return this.#objects.size + pins;
  }

  object(cid: string): StoredObject | undefined {
    return this.#objects.get(cid);
  }

  objects(): IterableIterator<StoredObject> {
    return this.#objects.values();
  }

  blockSize(cid: string): number | undefined {
    return this.#blocks.get(cid)?.size;
  }

  blocks(): IterableIterator<string> {
    return this.#blocks.keys();
  }

  isPinned(cid: string): boolean {
    return this.#keepers.has(cid);
  }

  pinsOf(owner: string): ReadonlySet<string> {
    return this.#pins.get(owner) ?? new Set();
  }

  /** Blocks that are in no other object. */
  ownBlocksOf(object: StoredObject): string[] {
    return object.blocks.flatMap(([cid]) => (this.#blocks.get(cid)?.objects === 1 ? [cid] : []));
  }

  /** The shortest list of entries that brings this state about. */
  entries(): InventoryEntry[] {
    const added = [...this.#objects.values()].map((object) => ({ op: 'add' as const, object }));
    const pinned = [...this.#pins].flatMap(([owner, kept]) =>
      [...kept].map((cid) => ({ op: 'pin' as const, cid, owner })),
    );
    return [...added, ...pinned];
  }

  apply(entry: InventoryEntry): void {
    switch (entry.op) {
      case 'add':
        return this.#add(entry.object);
      case 'touch':
        return this.#change(entry.cid, { storedAt: entry.storedAt });
      case 'publish':
        return this.#change(entry.cid, { isPublic: true });
      case 'drop':
        return this.#drop(entry.cid);
      case 'pin':
        return this.#pin(entry.cid, entry.owner);
      case 'unpin':
        return this.#unpin(entry.owner);
    }
  }

  #add(object: StoredObject): void {
    if (this.#objects.has(object.cid)) return;
    this.#objects.set(object.cid, object);
    for (const [cid, blockSize] of object.blocks) {
      const record = this.#blocks.get(cid);
      if (record !== undefined) {
        record.objects += 1;
        continue;
      }
      this.#blocks.set(cid, { size: blockSize, objects: 1 });
      this.#bytes += blockSize;
    }
  }

  #change(cid: string, changes: Partial<StoredObject>): void {
    const object = this.#objects.get(cid);
    if (object !== undefined) this.#objects.set(cid, { ...object, ...changes });
  }

  #drop(cid: string): void {
    const object = this.#objects.get(cid);
    if (object === undefined) return;
    this.#objects.delete(cid);
    for (const [block] of object.blocks) {
      const record = this.#blocks.get(block);
      if (record === undefined) continue;
      record.objects -= 1;
      if (record.objects > 0) continue;
      this.#blocks.delete(block);
      this.#bytes -= record.size;
    }
    for (const [owner, kept] of this.#pins) {
      if (kept.delete(cid) && kept.size === 0) this.#pins.delete(owner);
    }
    this.#keepers.delete(cid);
  }

  #pin(cid: string, owner: string): void {
    if (!this.#objects.has(cid)) return;
    const kept = this.#pins.get(owner) ?? new Set();
    if (kept.has(cid)) return;
    this.#pins.set(owner, kept.add(cid));
    this.#keepers.set(cid, (this.#keepers.get(cid) ?? 0) + 1);
  }

  #unpin(owner: string): void {
    for (const cid of this.#pins.get(owner) ?? []) {
      const left = (this.#keepers.get(cid) ?? 0) - 1;
      if (left > 0) this.#keepers.set(cid, left);
      else this.#keepers.delete(cid);
    }
    this.#pins.delete(owner);
  }
}
