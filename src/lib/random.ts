import { randomBytes } from 'node:crypto';
import { v7 as uuidV7 } from 'uuid';
import type { Clock } from './clock.ts';

/** The only door to chance. Simulations replace it with a seeded one. */
export interface Random {
  bytes(length: number): Uint8Array;
}

export const systemRandom: Random = {
  bytes: (length) => new Uint8Array(randomBytes(length)),
};

/** A number in [0, 1). */
export function randomFraction(random: Random): number {
  const [a = 0, b = 0, c = 0, d = 0] = random.bytes(4);
  return (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) / 2 ** 32;
}

/** A UUIDv7: sorts by time of making, so it is a good LevelDB key. */
export function newId(clock: Clock, random: Random): string {
  return uuidV7({ msecs: clock.nowMs(), random: random.bytes(16), seq: randomSequence(random) });
}

function randomSequence(random: Random): number {
  const [a = 0, b = 0, c = 0, d = 0] = random.bytes(4);
  return ((a << 24) | (b << 16) | (c << 8) | d) & 0x7fffffff;
}
