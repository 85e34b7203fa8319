import { beforeEach, describe, expect, it } from 'vitest';
import { decodeCanonical, encodeCanonical } from '../../../../src/lib/canonical.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { PeerMemory } from '../../../../src/domain/trust/peer-memory.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';

const LIMITS = { most: 3, writeDelayMs: 1000 };

let clock: FakeClock;
let stored: Uint8Array | undefined;
let writes: unknown[];
let read: string[];
let disk: 'works' | 'fails';

beforeEach(() => {
  clock = new FakeClock();
  stored = undefined;
  writes = [];
  read = [];
  disk = 'works';
});

function newMemory(): PeerMemory {
  return new PeerMemory('regulars', LIMITS, {
    clock,
    logger: silentLogger,
    onRead: (requester) => read.push(requester),
    notes: {
      get: async () => {
        if (disk === 'fails') throw new Error('the disk is gone');
        return stored;
      },
      put: async (_name, value) => {
        if (disk === 'fails') throw new Error('the disk is gone');
        stored = value;
        writes.push(decodeCanonical(value));
      },
    },
  });
}

describe('peers that are remembered', () => {
  it('are written a while after one is new, all in one, and at the stop', async () => {
    const regulars = newMemory();
    regulars.add('a');
    regulars.add('b');
    regulars.add('a');
    expect(writes).toEqual([]);
    await clock.advanceBy(LIMITS.writeDelayMs);
    expect(writes).toEqual([['b', 'a']]);
    regulars.add('b');
    await clock.advanceBy(LIMITS.writeDelayMs);
    expect(writes).toHaveLength(1);
    regulars.add('c');
    await regulars.stop();
    expect(writes.at(-1)).toEqual(['a', 'b', 'c']);
  });

  it('are no more than they may be: the one named longest ago makes room', async () => {
    const regulars = newMemory();
    for (const requester of ['a', 'b', 'c', 'a', 'd']) regulars.add(requester);
    await regulars.stop();
    expect(writes).toEqual([['c', 'a', 'd']]);
  });

  it('are told at the next start, in their order, the newest where there are too many', async () => {
    stored = encodeCanonical(['a', 'b', 'c', 'd']);
    const regulars = newMemory();
    await regulars.start();
    expect(read).toEqual(['b', 'c', 'd']);
    regulars.add('e');
    await regulars.stop();
    expect(writes).toEqual([['c', 'd', 'e']]);
  });

  it.each([
    ['are no bytes of its own', Uint8Array.of(255)],
    ['are no names', encodeCanonical([1])],
  ])('begin anew when what is stored %s', async (_, bytes) => {
    stored = bytes;
    const regulars = newMemory();
    await regulars.start();
    expect(read).toEqual([]);
    regulars.add('a');
    await regulars.stop();
    expect(writes).toEqual([['a']]);
  });

  it('go on when the disk does not', async () => {
    disk = 'fails';
    const regulars = newMemory();
    await regulars.start();
    regulars.add('a');
    await clock.advanceBy(LIMITS.writeDelayMs);
    disk = 'works';
    regulars.add('b');
    await regulars.stop();
    expect(writes).toEqual([['a', 'b']]);
  });
});
