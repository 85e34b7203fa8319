/** A number in [0, 1), another each time: for what is to be spread, and never for what is to be a secret. */
export type Chance = () => number;

/** For what no simulation plays through; it runs in browsers too. */
export const systemChance: Chance = () => Math.random();
