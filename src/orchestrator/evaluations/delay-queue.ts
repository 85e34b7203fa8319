import { PriorityQueue } from '@datastructures-js/priority-queue';
import type { Clock, Timer } from '../../lib/clock.ts';

/** A timer counts on another clock than lived time, and only so far; the queue looks again at least this often. */
const LONGEST_SLEEP_MS = 60_000;
const COMPACT_FROM = 64;

export interface DelayQueueNeeds<T> {
  readonly clock: Clock;
  /** The time that `dueAtMs` is measured on. */
  readonly now: () => number;
  /** False for an item that was taken back since. */
  readonly isLive: (item: T) => boolean;
  /** Gets all items that are due, the earliest first. */
  readonly onDue: (items: readonly T[]) => void;
}

interface Entry<T> {
  readonly item: T;
  readonly dueAtMs: number;
  readonly sequence: number;
}

function compareDue(a: Entry<unknown>, b: Entry<unknown>): number {
  return a.dueAtMs - b.dueAtMs || a.sequence - b.sequence;
}

/** Items that wait for a time, in one heap with one timer. */
export class DelayQueue<T> {
  readonly #needs: DelayQueueNeeds<T>;
  #entries = new PriorityQueue<Entry<T>>(compareDue);
  #sequence = 0;
  #dead = 0;
  #timer: Timer | undefined;
  #wakeAtMs = Number.POSITIVE_INFINITY;

  constructor(needs: DelayQueueNeeds<T>) {
    this.#needs = needs;
  }

  add(item: T, dueAtMs: number): void {
    this.#sequence += 1;
    this.#entries.enqueue({ item, dueAtMs, sequence: this.#sequence });
    if (dueAtMs < this.#wakeAtMs) this.#arm();
  }

  /** Says that one item is not live any more; its place is given back soon after. */
  forgetOne(): void {
    this.#dead += 1;
    if (this.#dead < COMPACT_FROM || this.#dead * 2 < this.#entries.size()) return;
    const live = this.#entries.toArray().filter(({ item }) => this.#needs.isLive(item));
    this.#entries = PriorityQueue.fromArray(live, compareDue);
    this.#dead = 0;
    this.#arm();
  }

  clear(): void {
    this.#entries.clear();
    this.#dead = 0;
    this.#arm();
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
    const first = this.#entries.front();
    if (first === null) return;
    const delayMs = Math.min(LONGEST_SLEEP_MS, Math.max(1, Math.ceil(first.dueAtMs - this.#needs.now())));
    this.#wakeAtMs = first.dueAtMs;
    this.#timer = this.#needs.clock.after(delayMs, () => this.#wake());
  }

  #wake(): void {
    const now = this.#needs.now();
    const due: T[] = [];
    for (let first = this.#entries.front(); first !== null && first.dueAtMs <= now; ) {
      this.#entries.dequeue();
      if (this.#needs.isLive(first.item)) due.push(first.item);
      else this.#dead -= 1;
      first = this.#entries.front();
    }
    this.#arm();
    if (due.length > 0) this.#needs.onDue(due);
  }
}
