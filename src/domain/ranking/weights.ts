/** What of a bid counts to a user: in one word, or by weights of the ranks. */
export type Preference = 'price' | 'speed' | 'balanced' | Readonly<Record<string, number>>;

/** The rankers that have a weight, as `prefer` of a job and `requester.weights` of a node name them. */
export const rankerNames = ['price', 'soft', 'load', 'speed', 'fit', 'behaviour', 'roundTrip'] as const;

export type RankerName = (typeof rankerNames)[number];

/**
 * How much each ranker counts. `soft`: the share of soft constraints met. `load`: idle machines. `speed`: how soon a
 * provider starts. `fit`: how little it leaves without use. `behaviour`: what happened before. `roundTrip`: how near
 * it is.
 */
export type RankerWeights = Readonly<Record<RankerName, number>>;

export const DEFAULT_WEIGHTS: RankerWeights = {
  price: 3,
  soft: 3,
  load: 2,
  speed: 2,
  fit: 2,
  behaviour: 4,
  roundTrip: 1,
};

const NO_WEIGHTS: RankerWeights = {
  price: 0,
  soft: 0,
  load: 0,
  speed: 0,
  fit: 0,
  behaviour: 0,
  roundTrip: 0,
};

/** A preferred ranker counts this many times as much as all of them together. */
const PREFERENCE_FACTOR = 2;

/** What names a ranker and is a weight. */
function cleaned(weights: Readonly<Record<string, number | undefined>>): Partial<RankerWeights> {
  const known: Partial<Record<RankerName, number>> = {};
  for (const name of rankerNames) {
    const weight = weights[name];
    if (weight !== undefined && Number.isFinite(weight) && weight >= 0) known[name] = weight;
  }
  return known;
}

/** The weights a job's preference comes to; an explicit map stands as it is, with 0 for what it does not name. */
export function weightsFor(prefer: Preference, configured: Partial<RankerWeights> = {}): RankerWeights {
  const base = { ...DEFAULT_WEIGHTS, ...cleaned(configured) };
  const emphasis = PREFERENCE_FACTOR * rankerNames.reduce((sum, name) => sum + base[name], 0);
  switch (prefer) {
    case 'balanced':
      return base;
    case 'price':
      return { ...base, price: emphasis };
    case 'speed':
      return { ...base, speed: emphasis, roundTrip: base.roundTrip * PREFERENCE_FACTOR };
    default:
      return { ...NO_WEIGHTS, ...cleaned(prefer) };
  }
}
