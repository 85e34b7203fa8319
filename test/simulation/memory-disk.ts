import { assert } from '../../src/lib/assert.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { type Random, randomFraction } from '../../src/lib/random.ts';
import {
  type Database,
  databaseLocked,
  databaseUnreadable,
  type KeyRange,
  type Operation,
  storeClosed,
  storeFailed,
} from '../../src/store/database.ts';
import { SortedEntries } from './sorted-entries.ts';

export interface MemoryDiskOptions {
  /** How long a batch takes to become durable: drawn anew for each. */
  readonly leastDelayMs: number;
  readonly mostDelayMs: number;
}

export interface MemoryDiskNeeds {
  readonly clock: Clock;
  readonly random: Random;
}

interface Unfinished {
  readonly operations: readonly Operation[];
  resolve(): void;
  reject(error: unknown): void;
}

const defaultOptions: MemoryDiskOptions = { leastDelayMs: 0, mostDelayMs: 2 };
const NAME = 'memory';

/** Settles never: what an incarnation that has crashed gets to see. */
function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}

/**
 * A disk for simulations. It outlives the nodes that use it: `open` starts an incarnation, `crash` ends it with
 * some of its unfinished batches kept, oldest first as in a log, each one whole or not at all. One seed gives one history.
 */
export class MemoryDisk {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #options: MemoryDiskOptions;
  readonly #entries = new SortedEntries();
  readonly #unfinished: Unfinished[] = [];
  /** Batches whose write failed: on disk or not, which shows when it is opened again. */
  #doubtful: (readonly Operation[])[] = [];
  #incarnation = 0;
  #open = false;
  #writesFail = false;
  #damaged = false;
  #idle: (() => void)[] = [];

  constructor(needs: MemoryDiskNeeds, options: MemoryDiskOptions = defaultOptions) {
    this.#clock = needs.clock;
    this.#random = needs.random;
    this.#options = options;
  }

  async open(): Promise<Database> {
    if (this.#open) throw databaseLocked(NAME);
    if (this.#damaged) throw databaseUnreadable(NAME);
    this.#open = true;
    this.#incarnation += 1;
    this.#settleDoubtful();
    return this.#handle(this.#incarnation);
  }

  /** Ends the open incarnation without notice: none of its promises settles any more. */
  crash(): void {
    const kept = Math.floor(randomFraction(this.#random) * (this.#unfinished.length + 1));
    for (const batch of this.#unfinished.slice(0, kept)) this.#entries.apply(batch.operations);
    this.#unfinished.length = 0;
    this.#idle = [];
    this.#incarnation += 1;
    this.#open = false;
  }

  /** Every batch fails until `repair`, those that are being written too: the disk is full. */
  failWrites(): void {
    this.#writesFail = true;
  }

  /** What is stored can no longer be opened, until `repair`. */
  damage(): void {
    this.#damaged = true;
  }

  repair(): void {
    this.#writesFail = false;
    this.#damaged = false;
  }

  #settleDoubtful(): void {
    for (const operations of this.#doubtful) {
      if (randomFraction(this.#random) < 0.5) break;
      this.#entries.apply(operations);
    }
    this.#doubtful = [];
  }

  #handle(incarnation: number): Database {
    let closing: Promise<void> | undefined;
    const crashed = (): boolean => this.#incarnation !== incarnation;
    const whenUsable = <T>(act: () => Promise<T>): Promise<T> => {
      if (closing !== undefined) return Promise.reject(storeClosed());
      return crashed() ? never<T>() : act();
    };
    return {
      get: (key) => whenUsable(async () => this.#entries.get(key)),
      lacks: (key) => closing === undefined && !crashed() && this.#entries.get(key) === undefined,
      batch: (operations) => whenUsable(() => this.#write(operations)),
      range: (range) => readRange(this.#entries, range, whenUsable),
      close: () => {
        if (crashed() && closing === undefined) return never();
        closing ??= this.#close();
        return closing;
      },
    };
  }

  #write(operations: readonly Operation[]): Promise<void> {
    const copy = operations.map((operation) =>
      operation.type === 'put' ? { ...operation, value: operation.value.slice() } : operation,
    );
    return new Promise((resolve, reject) => {
      this.#unfinished.push({ operations: copy, resolve, reject });
      if (this.#unfinished.length === 1) this.#writeNext();
    });
  }

  #writeNext(): void {
    const { leastDelayMs, mostDelayMs } = this.#options;
    const delayMs = leastDelayMs + randomFraction(this.#random) * (mostDelayMs - leastDelayMs);
    const incarnation = this.#incarnation;
    this.#clock.after(delayMs, () => {
      if (this.#incarnation === incarnation) this.#finishOldest();
    });
  }

  #finishOldest(): void {
    const batch = this.#unfinished.shift();
    assert(batch !== undefined, 'a batch ends that was not begun');
    if (this.#writesFail) {
      this.#doubtful.push(batch.operations);
      batch.reject(storeFailed('to write: no space is left'));
    } else {
      this.#entries.apply(batch.operations);
      batch.resolve();
    }
    if (this.#unfinished.length > 0) this.#writeNext();
    else for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #close(): Promise<void> {
    if (this.#unfinished.length > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#incarnation += 1;
    this.#open = false;
  }
}

async function* readRange(
  entries: SortedEntries,
  range: KeyRange,
  whenUsable: <T>(act: () => Promise<T>) => Promise<T>,
): AsyncGenerator<readonly [string, Uint8Array]> {
  const found = await whenUsable(async () => entries.slice(range));
  for (const entry of found) yield await whenUsable(async () => entry);
}
