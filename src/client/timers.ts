import type { Timers } from '../lib/clock.ts';

/** Waits of a program that is waited for: where there is a process, they keep it alive. Browsers have them too. */
export const systemTimers: Timers = {
  after(delayMs, fire) {
    const handle = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};
