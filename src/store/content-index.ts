import type { ContentChange, StoredObject } from '../domain/program/stored-content.ts';

interface BlockEntry {
  readonly size: number;
  readonly inline: boolean;
  objects: number;
}

/**
 * Which content is here and who keeps it: nothing but the sum of the changes applied. A block counts once, however many
 * objects have it, and every block of it is here in full with all that is below it.
 */
export class ContentIndex {
  readonly #blocks = new Map<string, BlockEntry>();
  readonly #objects = new Map<string, StoredObject>();
  readonly #pins = new Map<string, Set<string>>();
  /** How many keep it, by content id. */
  readonly #keepers = new Map<string, number>();
  #bytes = 0;
  #inlineBytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get inlineBytes(): number {
    return this.#inlineBytes;
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

  isInline(cid: string): boolean {
    return this.#blocks.get(cid)?.inline === true;
  }

  isPinned(cid: string): boolean {
    return this.#keepers.has(cid);
  }

  pinsOf(owner: string): ReadonlySet<string> {
    return this.#pins.get(owner) ?? new Set();
  }

  ownersOf(cid: string): readonly string[] {
    if (!this.isPinned(cid)) return [];
    return [...this.#pins].flatMap(([owner, kept]) => (kept.has(cid) ? [owner] : []));
  }

  /** Blocks that are in no other object. */
  ownBlocksOf(object: StoredObject): string[] {
    return object.blocks.flatMap(([cid]) => (this.#blocks.get(cid)?.objects === 1 ? [cid] : []));
  }

  apply(change: ContentChange): void {
    switch (change.op) {
      case 'add':
        return this.#add(change.object);
      case 'touch':
        return this.#change(change.cid, { storedAt: change.storedAt });
      case 'publish':
        return this.#change(change.cid, { isPublic: true });
      case 'drop':
        return this.#drop(change.cid);
      case 'pin':
        return this.#pin(change.cid, change.owner);
      case 'unpin':
        return this.#unpin(change.owner);
    }
  }

  #add(object: StoredObject): void {
    if (this.#objects.has(object.cid)) {
      if (object.isPublic) this.#change(object.cid, { isPublic: true });
      return;
    }
    this.#objects.set(object.cid, object);
    const inline = new Set(object.inline);
    for (const [cid, size] of object.blocks) {
      const known = this.#blocks.get(cid);
      if (known !== undefined) {
        known.objects += 1;
        continue;
      }
      const entry = { size, inline: inline.has(cid), objects: 1 };
      this.#blocks.set(cid, entry);
      this.#bytes += size;
      if (entry.inline) this.#inlineBytes += size;
    }
  }

  #change(cid: string, changes: Partial<StoredObject>): void {
    const object = this.#objects.get(cid);
    if (object !== undefined) this.#objects.set(cid, { ...object, ...changes });
  }

  #drop(cid: string): void {
    const object = this.#objects.get(cid);
    if (object === undefined) return;
    for (const owner of this.ownersOf(cid)) {
      const kept = this.#pins.get(owner);
      kept?.delete(cid);
      if (kept?.size === 0) this.#pins.delete(owner);
    }
    this.#keepers.delete(cid);
    this.#objects.delete(cid);
    for (const [block] of object.blocks) {
      const entry = this.#blocks.get(block);
      if (entry === undefined) continue;
      entry.objects -= 1;
      if (entry.objects > 0) continue;
      this.#blocks.delete(block);
      this.#bytes -= entry.size;
      if (entry.inline) this.#inlineBytes -= entry.size;
    }
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
