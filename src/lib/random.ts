import { randomBytes } from 'node:crypto';
import { v7 as uuidV7 } from 'uuid';
import type { Chance } from './chance.ts';
import type { Clock } from './clock.ts';

/** The only door to chance. Simulations replace it with a seeded one. */
export interface Random {
  bytes(length: number): Uint8Array;
}

const POOL_BYTES = 4096;

/** One call into the system serves many small requests: asking it each time costs more than making an id. */
function createSystemRandom(): Random {
  let pool = randomBytes(POOL_BYTES);
  let used = 0;
  return {
    bytes(length) {
      if (length > POOL_BYTES) return new Uint8Array(randomBytes(length));
      if (used + length > POOL_BYTES) {
        pool = randomBytes(POOL_BYTES);
        used = 0;
      }
      const bytes = new Uint8Array(pool.subarray(used, used + length));
      // What was given out is not kept here: it may become a key.
      pool.fill(0, used, used + length);
      used += length;
      return bytes;
    },
  };
}

export const systemRandom: Random = createSystemRandom();

/** A number in [0, 1). */
export function randomFraction(random: Random): number {
  const [a = 0, b = 0, c = 0, d = 0] = random.bytes(4);
  return (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) / 2 ** 32;
}

/** Chance for back-offs and the like, of the node's own source. */
export function chanceOf(random: Random): Chance {
  return () => randomFraction(random);
}

/** A UUIDv7: sorts by time of making, so it is a good LevelDB key. */
export function newId(clock: Clock, random: Random): string {
  return uuidV7({ msecs: clock.nowMs(), random: random.bytes(16), seq: randomSequence(random) });
}

function randomSequence(random: Random): number {
  const [a = 0, b = 0, c = 0, d = 0] = random.bytes(4);
  return ((a << 24) | (b << 16) | (c << 8) | d) & 0x7fffffff;
}
