/** A running timer. Cancelling one that has fired does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * The only door to time. Production uses {@link systemClock}; simulations a clock that moves when told. What waits,
 * runs out or grows old is counted by `monotonicMs` or, where it is written down, by `livedMs`: wall time is for people,
 * for signatures and for the programs of others.
 */
export interface Clock {
  /** Wall time: it may jump, by hours and backwards too. */
  nowMs(): number;
  /** Since some moment of this process; it never goes back. */
  monotonicMs(): number;
  /**
   * Lived time, in whole milliseconds: the time that this node has seen running. It never goes back, does not jump, and
   * a node with a store goes on from where it was when it stopped. It began at the wall time of that moment, so it
   * looks like one; a {@link Calendar} makes a real one of it. Never compared with that of another node.
   */
  livedMs(): number;
  /** Calls `fire` once after `delayMs`. A timer does not keep the process alive. */
  after(delayMs: number, fire: () => void): Timer;
}

/** What only waits. */
export type Timers = Pick<Clock, 'after'>;

const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  livedMs: () => Math.floor(performance.timeOrigin + performance.now()),
  after(delayMs, fire) {
    const handle = setTimeout(fire, Math.min(Math.max(delayMs, 0), LONGEST_TIMER_MS));
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/**
 * Calls `fire` when what has arrived in this turn of the event loop is handled. For gathering work, never for a
 * decision: it belongs to no {@link Clock}.
 */
export function afterThisTurn(fire: () => void): void {
  setImmediate(fire);
}

/**
 * Calls `fire` when all is done that followed from the event that is handled now without waiting for anything: its
 * promises, and nothing of the next event. For measuring, never for a decision: it belongs to no {@link Clock}.
 */
export function afterThisEvent(fire: () => void): void {
  queueMicrotask(() => process.nextTick(fire));
}

/** Resolves after `delayMs`, or rejects with the signal's reason as soon as it is aborted. */
export function sleep(clock: Timers, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Calls `tick` every `periodMs` until cancelled; the next period starts when `tick` has settled, so ticks never overlap. */
export function every(clock: Clock, periodMs: number, tick: () => Promise<void> | void): Timer {
  let cancelled = false;
  let timer: Timer;
  const arm = (): void => {
    timer = clock.after(periodMs, () => {
      void Promise.resolve(tick()).finally(() => {
        if (!cancelled) arm();
      });
    });
  };
  arm();
  return {
    cancel: () => {
      cancelled = true;
      timer.cancel();
    },
  };
}

/**
 * The outcome of `work`, or `onTimeout()` when it has not settled within `limitMs`.
 * A late outcome is dropped, also when it is a rejection.
 */
export function within<T, U>(
  clock: Timers,
  limitMs: number,
  work: Promise<T>,
  onTimeout: () => U,
): Promise<T | U> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(limitMs, () => resolve(onTimeout()));
    work.then(
      (value) => {
        timer.cancel();
        resolve(value);
      },
      (error: unknown) => {
        timer.cancel();
        reject(error);
      },
    );
  });
}

const SLICES = 10;

/**
 * The same time, but for waiting on others: a delay runs in slices, so that a while in which this process was too busy
 * to hear of anything counts as one of them. Otherwise it would see its timers before what it had been waiting for.
 */
export function patient(clock: Clock): Clock {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    livedMs: () => clock.livedMs(),
    after(delayMs, fire) {
      let left = SLICES;
      const next = (): void => {
        left -= 1;
        timer = clock.after(delayMs / SLICES, left === 0 ? fire : next);
      };
      let timer = clock.after(delayMs / SLICES, next);
      left -= 1;
      return { cancel: () => timer.cancel() };
    },
  };
}

/** Wall time as ISO 8601 text, for people and for the API. */
export function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

/** What {@link isoTime} wrote, as a number again; NaN for anything else. */
export function wallMsOf(iso: string): number {
  return Date.parse(iso);
}
