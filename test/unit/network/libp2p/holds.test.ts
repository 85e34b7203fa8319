import type { Connection } from '@libp2p/interface';
import { beforeEach, describe, expect, it } from 'vitest';
import { Holds } from '../../../../src/network/libp2p/holds.ts';
import { Reading } from '../../../../src/network/libp2p/reading.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';

interface Line {
  readonly connection: Connection;
  reads: boolean;
  aborted: boolean;
}

function line(peer: string): Line {
  const maConn = {
    status: 'open',
    sendPause: () => {
      made.reads = false;
    },
    sendResume: () => {
      made.reads = true;
    },
  };
  const raw = Object.assign(new EventTarget(), {
    maConn,
    status: 'open',
    remotePeer: { toString: () => peer },
    abort: () => {
      made.aborted = true;
    },
  });
  const made: Line = { connection: raw as unknown as Connection, reads: true, aborted: false };
  return made;
}

describe('holds', () => {
  let clock: FakeClock;
  let lines: Map<string, Line[]>;
  let holds: Holds;

  beforeEach(() => {
    clock = new FakeClock();
    lines = new Map([
      ['a', [line('a'), line('a')]],
      ['b', [line('b')]],
    ]);
    holds = new Holds({
      clock,
      reading: new Reading(),
      connectionsOf: (peer) => (lines.get(peer) ?? []).map(({ connection }) => connection),
    });
  });

  const reads = (peer: string): boolean[] => (lines.get(peer) ?? []).map((one) => one.reads);

  it('stops reading all connections of a peer, of nobody else, and for the time', async () => {
    holds.hold('a', 100);
    expect([reads('a'), reads('b')]).toEqual([[false, false], [true]]);
    await clock.advanceBy(99);
    expect(reads('a')).toEqual([false, false]);
    await clock.advanceBy(1);
    expect(reads('a')).toEqual([true, true]);
  });

  it('lets a longer hold take the place of a shorter one, and no shorter one that of a longer', async () => {
    holds.hold('a', 100);
    await clock.advanceBy(50);
    holds.hold('a', 20);
    await clock.advanceBy(40);
    expect(reads('a')).toEqual([false, false]);
    holds.hold('a', 100);
    await clock.advanceBy(99);
    expect(reads('a')).toEqual([false, false]);
    await clock.advanceBy(1);
    expect(reads('a')).toEqual([true, true]);
  });

  it('holds a connection that the peer opens meanwhile, and reads it with the others', async () => {
    holds.hold('a', 100);
    const another = line('a');
    lines.get('a')?.push(another);
    holds.opened(another.connection);
    expect(another.reads).toBe(false);
    await clock.advanceBy(100);
    expect(another.reads).toBe(true);
  });

  it('never reads again what is held for good, and ends it', async () => {
    const [first] = lines.get('a') ?? [];
    holds.holdForGood(first!.connection, 500);
    holds.hold('a', 100);
    await clock.advanceBy(100);
    expect(reads('a')).toEqual([false, true]);
    await clock.advanceBy(400);
    expect(first?.aborted).toBe(true);
  });

  it('says that a silence says nothing while a connection is held, or where it was since', async () => {
    const connection = lines.get('a')![0]!.connection;
    expect(holds.isUnread(connection, clock.monotonicMs())).toBe(false);
    const askedMs = clock.monotonicMs();
    holds.hold('a', 100);
    expect(holds.isUnread(connection, askedMs)).toBe(true);
    await clock.advanceBy(100);
    expect(holds.isUnread(connection, askedMs)).toBe(true);
    await clock.advanceBy(1);
    expect(holds.isUnread(connection, clock.monotonicMs())).toBe(false);
  });

  it('holds nobody who is not connected', async () => {
    holds.hold('nobody', 100);
    expect(holds.isHeld('nobody')).toBe(false);
  });
});
