import { lessIsBetter, NEUTRAL_VALUE, type Ranker } from './ranker.ts';

/** Differences below this are noise, and no reason to promise less. */
const SHORTEST_MS = 100;

/** The soonest start has 1000; one that takes twice as long has 500, and so has one of which nothing is said. */
export const startTimeRanker: Ranker = {
  name: 'speed',
  prepare({ contenders }) {
    const valueOf = lessIsBetter(
      contenders.map(({ bid }) => bid.startsInMs),
      SHORTEST_MS,
    );
    return ({ bid: { startsInMs } }) =>
      startsInMs === undefined
        ? { value: NEUTRAL_VALUE, why: { code: 'start-not-said', data: {} } }
        : { value: valueOf(startsInMs), why: { code: 'starts-in', data: { startsInMs } } };
  },
};
