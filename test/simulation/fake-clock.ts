import { PriorityQueue } from '@datastructures-js/priority-queue';
import type { Clock, Timer } from '../../src/lib/clock.ts';

interface Alarm {
  readonly dueMs: number;
  readonly sequence: number;
  readonly fire: () => void;
  cancelled: boolean;
}

const EPOCH_MS = 1_700_000_000_000;

/** What a machine takes for the time: this much more than it is. It goes on while the machine is down. */
export interface WallClock {
  offsetMs: number;
}

/** A clock that a crash can take away from its node: its timers never fire any more. */
export interface Incarnation {
  readonly clock: Clock;
  readonly alive: boolean;
  end(): void;
}

const TICKS_PER_MS = 1024;

/** Times have few binary digits, so that what is counted from different beginnings adds up. */
function onTick(timeMs: number): number {
  return Math.ceil(timeMs * TICKS_PER_MS) / TICKS_PER_MS;
}

/** Lets everything run that waits for nothing but other promises. */
async function drain(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}

/** Time that moves only when told, from alarm to alarm; between two of them all ready work is done. */
export class FakeClock implements Clock {
  readonly #alarms = new PriorityQueue<Alarm>((a, b) => a.dueMs - b.dueMs || a.sequence - b.sequence);
  #nowMs = 0;
  #sequence = 0;

  nowMs(): number {
    return EPOCH_MS + Math.floor(this.#nowMs);
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, fire: () => void): Timer {
    this.#sequence += 1;
    const alarm: Alarm = {
      dueMs: onTick(this.#nowMs + Math.max(0, delayMs)),
      sequence: this.#sequence,
      fire,
      cancelled: false,
    };
    this.#alarms.enqueue(alarm);
    return {
      cancel: () => {
        alarm.cancelled = true;
      },
    };
  }

  livedMs(): number {
    return EPOCH_MS + Math.floor(this.#nowMs);
  }

  /** The clock of one life on a machine: it begins with it, and its timers end with it. */
  incarnation(wall: WallClock): Incarnation {
    let alive = true;
    const bornMs = this.#nowMs;
    return {
      clock: {
        nowMs: () => this.nowMs() + wall.offsetMs,
        monotonicMs: () => this.#nowMs - bornMs,
        livedMs: () => this.livedMs() - Math.floor(bornMs),
        after: (delayMs, fire) => this.after(delayMs, () => (alive ? fire() : undefined)),
      },
      get alive() {
        return alive;
      },
      end: () => {
        alive = false;
      },
    };
  }

  /** Does what is ready, without moving the time. */
  settle(): Promise<void> {
    return drain();
  }

  advanceBy(durationMs: number): Promise<void> {
    return this.advanceTo(this.#nowMs + durationMs);
  }

  async advanceTo(monotonicMs: number): Promise<void> {
    const endMs = onTick(monotonicMs);
    await drain();
    while (await this.#step(endMs));
    this.#nowMs = Math.max(this.#nowMs, endMs);
  }

  /** Moves on until `done`, at most for `limitMs`; throws when it is not done by then. */
  async runUntil(done: () => boolean, limitMs: number): Promise<void> {
    const endMs = onTick(this.#nowMs + limitMs);
    await drain();
    while (!done()) {
      if (await this.#step(endMs)) continue;
      this.#nowMs = endMs;
      if (done()) return;
      throw new Error(`not done after ${limitMs} ms of simulated time`);
    }
  }

  /** Moves on until `work` has settled. */
  async runUntilSettled<T>(work: Promise<T>, limitMs: number): Promise<T> {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    work.then(settle, settle);
    await this.runUntil(() => settled, limitMs);
    return work;
  }

  /** Fires the next alarm that is due by `endMs`; false when there is none. */
  async #step(endMs: number): Promise<boolean> {
    for (let next = this.#alarms.front(); next !== null; next = this.#alarms.front()) {
      if (next.cancelled) {
        this.#alarms.dequeue();
        continue;
      }
      if (next.dueMs > endMs) return false;
      this.#alarms.dequeue();
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.fire();
      await drain();
      return true;
    }
    return false;
  }
}
