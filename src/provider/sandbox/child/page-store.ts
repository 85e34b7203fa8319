import { readSync, writeSync } from 'node:fs';

export const PAGE_BYTES = 64 * 1024;
const SMALLEST_PAGE_BYTES = 256;

type Page =
  | { readonly kind: 'memory'; readonly bytes: Uint8Array }
  | { readonly kind: 'spool'; readonly slot: number };

function rethrow(error: unknown): never {
  throw error;
}

/** Room for file contents: memory up to a budget, then slots in one spool file. */
export class PageStore {
  readonly #memoryBudgetBytes: number;
  readonly #spoolFd: number;
  #memoryBytes = 0;
  #slots = 0;
  readonly #freeSlots: number[] = [];
  readonly #onRefused: (error: unknown) => never;

  /** `onRefused`: the machine's disk takes no more, which is nothing that the program could do about. */
  constructor(memoryBudgetBytes: number, spoolFd: number, onRefused: (error: unknown) => never = rethrow) {
    this.#onRefused = onRefused;
    this.#memoryBudgetBytes = memoryBudgetBytes;
    this.#spoolFd = spoolFd;
  }

  /** A page of zeros with room for at least `sizeBytes`. */
  take(sizeBytes: number): Page {
    const length = Math.min(PAGE_BYTES, Math.max(SMALLEST_PAGE_BYTES, 2 ** Math.ceil(Math.log2(sizeBytes))));
    if (this.#memoryBytes + length <= this.#memoryBudgetBytes) {
      this.#memoryBytes += length;
      return { kind: 'memory', bytes: new Uint8Array(length) };
    }
    const used = this.#freeSlots.pop();
    const page: Page = { kind: 'spool', slot: used ?? this.#slots++ };
    if (used !== undefined) this.write(page, 0, new Uint8Array(PAGE_BYTES));
    return page;
  }

  give(page: Page): void {
    if (page.kind === 'memory') this.#memoryBytes -= page.bytes.length;
    else this.#freeSlots.push(page.slot);
  }

  roomIn(page: Page): number {
    return page.kind === 'memory' ? page.bytes.length : PAGE_BYTES;
  }

  write(page: Page, offset: number, bytes: Uint8Array): void {
    if (page.kind === 'memory') {
      page.bytes.set(bytes, offset);
      return;
    }
    for (let done = 0; done < bytes.length; ) {
      const position = page.slot * PAGE_BYTES + offset + done;
      done += this.#spool(bytes, done, position);
    }
  }

  #spool(bytes: Uint8Array, from: number, position: number): number {
    try {
      return writeSync(this.#spoolFd, bytes, from, bytes.length - from, position);
    } catch (error) {
      return this.#onRefused(error);
    }
  }

  read(page: Page, offset: number, into: Uint8Array): void {
    if (page.kind === 'memory') {
      const bytes = page.bytes.subarray(offset, offset + into.length);
      into.set(bytes);
      into.fill(0, bytes.length);
      return;
    }
    let done = 0;
    while (done < into.length) {
      const position = page.slot * PAGE_BYTES + offset + done;
      const count = readSync(this.#spoolFd, into, done, into.length - done, position);
      if (count === 0) break;
      done += count;
    }
    into.fill(0, done);
  }
}

/** The contents of one file. Knows no size: what was never written reads as zeros. */
export class PagedContent {
  readonly #store: PageStore;
  readonly #pages = new Map<number, Page>();

  constructor(store: PageStore) {
    this.#store = store;
  }

  write(position: number, bytes: Uint8Array): void {
    forEachPage(position, bytes.length, (index, offset, start, length) => {
      this.#store.write(this.#pageFor(index, offset + length), offset, bytes.subarray(start, start + length));
    });
  }

  read(position: number, into: Uint8Array): void {
    forEachPage(position, into.length, (index, offset, start, length) => {
      const part = into.subarray(start, start + length);
      const page = this.#pages.get(index);
      if (page === undefined) part.fill(0);
      else this.#store.read(page, offset, part);
    });
  }

  /** Forgets everything from `size` on. */
  truncate(size: number): void {
    for (const [index, page] of this.#pages) {
      const start = index * PAGE_BYTES;
      if (start >= size) {
        this.#store.give(page);
        this.#pages.delete(index);
      } else if (size < start + this.#store.roomIn(page)) {
        this.#store.write(page, size - start, new Uint8Array(this.#store.roomIn(page) - (size - start)));
      }
    }
  }

  #pageFor(index: number, sizeBytes: number): Page {
    const page = this.#pages.get(index);
    if (page !== undefined && this.#store.roomIn(page) >= sizeBytes) return page;
    const larger = this.#store.take(page === undefined ? sizeBytes : PAGE_BYTES);
    if (page !== undefined) {
      const old = new Uint8Array(this.#store.roomIn(page));
      this.#store.read(page, 0, old);
      this.#store.write(larger, 0, old);
      this.#store.give(page);
    }
    this.#pages.set(index, larger);
    return larger;
  }
}

function forEachPage(
  position: number,
  length: number,
  visit: (index: number, offset: number, start: number, length: number) => void,
): void {
  for (let done = 0; done < length; ) {
    const index = Math.floor((position + done) / PAGE_BYTES);
    const offset = position + done - index * PAGE_BYTES;
    const part = Math.min(PAGE_BYTES - offset, length - done);
    visit(index, offset, done, part);
    done += part;
  }
}
