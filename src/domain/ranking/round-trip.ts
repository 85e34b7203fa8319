import { BEST_VALUE, boundedValue, NEUTRAL_VALUE, type Ranker } from './ranker.ts';

/** Differences below this are noise. */
const SHORTEST_MS = 20;

/** The nearest provider has 1000; one that is twice as far away has 500, and so has one that was never measured. */
export const roundTripRanker: Ranker = {
  name: 'roundTrip',
  prepare({ contenders }) {
    const nearest = Math.min(
      ...contenders.flatMap(({ roundTripMs }) =>
        roundTripMs === undefined ? [] : [Math.max(SHORTEST_MS, roundTripMs)],
      ),
    );
    return ({ roundTripMs }) => {
      if (roundTripMs === undefined) return { value: NEUTRAL_VALUE, reason: 'not measured yet' };
      return {
        value: boundedValue((nearest * BEST_VALUE) / Math.max(SHORTEST_MS, roundTripMs)),
        reason: `${Math.round(roundTripMs)} ms there and back`,
      };
    };
  },
};
