import type { Clock } from '../../../../src/lib/clock.ts';

const START_MS = 1_700_000_000_000;

/** A clock that moves only when told. */
export class FakeClock implements Clock {
  #wallMs = START_MS;
  #monotonicMs = 0;
  #sequence = 0;
  readonly #timers = new Map<number, { readonly dueMs: number; readonly fire: () => void }>();

  get timers(): number {
    return this.#timers.size;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  livedMs(): number {
    return START_MS + this.#monotonicMs;
  }

  after(delayMs: number, fire: () => void): { cancel(): void } {
    this.#sequence += 1;
    const key = this.#sequence;
    this.#timers.set(key, { dueMs: this.#monotonicMs + Math.max(0, delayMs), fire });
    return { cancel: () => void this.#timers.delete(key) };
  }

  /** Fires what comes due, in order of time. */
  advance(ms: number): void {
    const endMs = this.#monotonicMs + ms;
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) next();
    this.#moveTo(endMs);
  }

  /** As `advance`, and lets promises go on after each timer. */
  async run(ms: number): Promise<void> {
    const endMs = this.#monotonicMs + ms;
    await settle();
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      next();
      await settle();
    }
    this.#moveTo(endMs);
  }

  /** Somebody sets the machine's time: timers do not notice. */
  jumpWall(ms: number): void {
    this.#wallMs += ms;
  }

  #next(endMs: number): (() => void) | undefined {
    const due = [...this.#timers].filter(([, timer]) => timer.dueMs <= endMs);
    const [first] = due.toSorted(([keyA, a], [keyB, b]) => a.dueMs - b.dueMs || keyA - keyB);
    if (first === undefined) return undefined;
    const [key, timer] = first;
    return () => {
      this.#moveTo(Math.max(timer.dueMs, this.#monotonicMs));
      this.#timers.delete(key);
      timer.fire();
    };
  }

  #moveTo(monotonicMs: number): void {
    this.#wallMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }
}

/** Resolves when all promises that can go on have done so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
