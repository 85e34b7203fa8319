import type { Preference } from '../job.ts';

/** How much each ranker counts. `soft` is the share of soft constraints met, `speed` how soon a provider starts. */
export interface RankerWeights {
  readonly price: number;
  readonly soft: number;
  readonly load: number;
  readonly speed: number;
}

export const DEFAULT_WEIGHTS: RankerWeights = { price: 3, soft: 3, load: 2, speed: 2 };

const NO_WEIGHTS: RankerWeights = { price: 0, soft: 0, load: 0, speed: 0 };

/** A preferred ranker counts this many times as much as all of them together. */
const PREFERENCE_FACTOR = 2;

function cleaned(weights: Partial<RankerWeights>): Partial<RankerWeights> {
  return Object.fromEntries(
    Object.entries(weights).filter(([, weight]) => Number.isFinite(weight) && weight >= 0),
  );
}

/** The weights a job's preference comes to; an explicit map stands as it is, with 0 for what it does not name. */
export function weightsFor(prefer: Preference, configured: Partial<RankerWeights> = {}): RankerWeights {
  const base = { ...DEFAULT_WEIGHTS, ...cleaned(configured) };
  const emphasis = PREFERENCE_FACTOR * (base.price + base.soft + base.load + base.speed);
  switch (prefer) {
    case 'balanced':
      return base;
    case 'price':
      return { ...base, price: emphasis };
    case 'speed':
      return { ...base, speed: emphasis };
    default:
      return explicitWeights(prefer);
  }
}

function explicitWeights(named: Readonly<Record<string, number>>): RankerWeights {
  const { price, soft, load, speed } = { ...NO_WEIGHTS, ...cleaned(named) };
  return { price, soft, load, speed };
}
