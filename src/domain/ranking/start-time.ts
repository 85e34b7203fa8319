import { lessIsBetter, NEUTRAL_VALUE, type Ranker } from './ranker.ts';

/** Differences below this are noise, and no reason to promise less. */
const SHORTEST_MS = 100;

const SECOND_MS = 1000;
/** From here on tenths of a second say nothing. */
const LONG_MS = 9950;

function secondsText(ms: number): string {
  if (ms < SHORTEST_MS) return 'less than 0.1 s';
  return `about ${(ms / SECOND_MS).toFixed(ms < LONG_MS ? 1 : 0)} s`;
}

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
        ? { value: NEUTRAL_VALUE, reason: 'does not say how soon it starts' }
        : { value: valueOf(startsInMs), reason: `starts in ${secondsText(startsInMs)}` };
  },
};
