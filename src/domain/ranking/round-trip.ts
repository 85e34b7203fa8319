import { lessIsBetter, NEUTRAL_VALUE, type Ranker } from './ranker.ts';

/** Differences below this are noise. */
const SHORTEST_MS = 20;

/** The nearest provider has 1000; one that is twice as far away has 500, and so has one that was never measured. */
export const roundTripRanker: Ranker = {
  name: 'roundTrip',
  prepare({ contenders }) {
    const valueOf = lessIsBetter(
      contenders.map(({ roundTripMs }) => roundTripMs),
      SHORTEST_MS,
    );
    return ({ roundTripMs }) =>
      roundTripMs === undefined
        ? { value: NEUTRAL_VALUE, why: { code: 'round-trip-unknown', data: {} } }
        : {
            value: valueOf(roundTripMs),
            why: { code: 'round-trip', data: { roundTripMs: Math.round(roundTripMs) } },
          };
  },
};
