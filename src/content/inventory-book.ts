import { messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import { GroupedWork } from './grouped-work.ts';
import { decodeEntry, encodeEntry, Inventory, type InventoryEntry } from './inventory.ts';
import type { ContentJournal } from './journal.ts';

/** Lines the journal may have beyond twice what it needs. */
const SPARE_LINES = 1000;

/** The inventory and its journal: a change counts from the moment it is durable, and changes count in order. */
export class InventoryBook {
  readonly inventory = new Inventory();
  readonly #journal: ContentJournal;
  readonly #logger: Logger;
  readonly #flushing = new GroupedWork(() => this.#flush());
  #pending: InventoryEntry[] = [];
  #lines = 0;

  constructor(journal: ContentJournal, logger: Logger) {
    this.#journal = journal;
    this.#logger = logger;
  }

  async load(): Promise<void> {
    const lines = await this.#journal.load();
    for (const line of lines) {
      const entry = decodeEntry(line);
      if (entry === undefined) this.#logger.warn('unknown line in the content journal');
      else this.inventory.apply(entry);
    }
    this.#lines = lines.length;
  }

  /** Resolves when the entries are durable and applied; entries of calls made together share one disk sync. */
  commit(...entries: readonly InventoryEntry[]): Promise<void> {
    this.#pending.push(...entries);
    return this.#flushing.run();
  }

  /** Makes the journal short again when most of it is history. */
  async compact(): Promise<void> {
    if (this.#isLong()) await this.#flushing.run();
  }

  async close(): Promise<void> {
    await this.#flushing.run();
    await this.#journal.close();
  }

  #isLong(): boolean {
    return this.#lines > 2 * this.inventory.entryCount + SPARE_LINES;
  }

  async #flush(): Promise<void> {
    const entries = this.#pending;
    this.#pending = [];
    if (entries.length > 0) {
      await this.#journal.append(entries.map(encodeEntry));
      this.#lines += entries.length;
      for (const entry of entries) this.inventory.apply(entry);
    }
    if (this.#isLong()) await this.#replace();
  }

  async #replace(): Promise<void> {
    const lines = this.inventory.entries().map(encodeEntry);
    try {
      await this.#journal.replace(lines);
      this.#lines = lines.length;
    } catch (error) {
      this.#logger.error('the content journal could not be shortened', { reason: messageOf(error) });
    }
  }
}
