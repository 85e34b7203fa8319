import { BEST_VALUE, boundedValue, type Ranker } from './ranker.ts';

/** Differences below this are noise. */
const SHORTEST_MS = 1000;

/** The soonest start has 1000; one that takes twice as long has 500. */
export const startTimeRanker: Ranker = {
  name: 'speed',
  prepare({ contenders }) {
    const times = contenders.map(({ bid }) => Math.max(SHORTEST_MS, bid.time.startWithinMs));
    const soonest = times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
    return ({ bid }) => ({
      value: boundedValue((soonest * BEST_VALUE) / Math.max(SHORTEST_MS, bid.time.startWithinMs)),
      reason: `starts within ${bid.time.startWithinMs} ms`,
    });
  },
};
