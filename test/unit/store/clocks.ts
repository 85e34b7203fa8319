import type { Clock, Timer } from '../../../src/lib/clock.ts';
import type { Random } from '../../../src/lib/random.ts';

const START_MS = 1_800_000_000_000;

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

/** Lets everything run that waits for nothing but promises. */
export async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** A clock that moves when told, from timer to timer. */
export class ManualClock implements Clock {
  #elapsedMs = 0;
  #order = 0;
  readonly #pending = new Set<Pending>();

  nowMs(): number {
    return START_MS + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  livedMs(): number {
    return START_MS + this.#elapsedMs;
  }

  after(delayMs: number, fire: () => void): Timer {
    const timer: Pending = { at: this.#elapsedMs + delayMs, order: (this.#order += 1), fire };
    this.#pending.add(timer);
    return { cancel: () => void this.#pending.delete(timer) };
  }

  /** Moves on by `ms`. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsedMs + ms;
    await turn();
    while (this.#fireNext(end)) await turn();
    this.#elapsedMs = end;
  }

  /** Moves on until `promise` has settled. Throws when it waits for something that no timer brings. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    await turn();
    while (!settled) {
      if (!this.#fireNext(Number.POSITIVE_INFINITY)) throw new Error('the promise never settles');
      await turn();
    }
    return await promise;
  }

  #fireNext(end: number): boolean {
    const [next] = [...this.#pending].sort((a, b) => a.at - b.at || a.order - b.order);
    if (next === undefined || next.at > end) return false;
    this.#pending.delete(next);
    this.#elapsedMs = next.at;
    next.fire();
    return true;
  }
}

/** A clock on which every timer is due at once; its time can be set. */
export class HurriedClock implements Clock {
  now = START_MS;

  nowMs(): number {
    return this.now;
  }

  monotonicMs(): number {
    return this.now;
  }

  livedMs(): number {
    return this.now;
  }

  after(_delayMs: number, fire: () => void): Timer {
    const handle = setImmediate(fire);
    return { cancel: () => clearImmediate(handle) };
  }
}

/** The same bytes for the same seed. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) & 0xff;
  };
  return { bytes: (length) => Uint8Array.from({ length }, next) };
}
