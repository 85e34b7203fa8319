import { describe, expect, it } from 'vitest';
import { codeOf } from '../../../../src/lib/coded-error.ts';
import { silentLogger, type LogFields } from '../../../../src/lib/logger.ts';
import { Allowances } from '../../../../src/network/allowances/allowances.ts';
import { type AllowanceLimits, defaultAllowanceLimits } from '../../../../src/network/allowances/limits.ts';
import { createChannelPair, type PairedChannel } from '../../../../src/network/channel-pair.ts';
import { Counters } from '../../../../src/network/counters.ts';
import type { Channel, Underlay } from '../../../../src/network/underlay.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';

/** Allowances over a transport that writes down what it is asked to do. */
function world(over: Partial<AllowanceLimits> = {}) {
  const clock = new FakeClock();
  const asked: string[] = [];
  const told: LogFields[] = [];
  const counters = new Counters();
  const named = new Set<string>();
  const gone = new Set<string>();
  const underlay: Pick<Underlay, 'self' | 'restrain' | 'holdBack' | 'prefixOf' | 'isNamed' | 'isConnected'> =
    {
      self: 'self',
      restrain: (peer, goesOn) => void asked.push(`${goesOn ? 'restrain' : 'spare'} ${peer}`),
      holdBack: (peer, durationMs) => void asked.push(`hold ${peer} ${durationMs}`),
      prefixOf: (peer) => peer.split('@')[1],
      isNamed: (peer) => named.has(peer),
      isConnected: (peer) => !gone.has(peer),
    };
  const allowances = new Allowances(
    { ...defaultAllowanceLimits, ...over },
    {
      underlay,
      clock,
      counters,
      logger: { ...silentLogger, warn: (_message, fields) => void told.push(fields ?? {}) },
    },
  );
  const open = (peer: string): { near: PairedChannel; served: Channel[] } => {
    const [near, far] = createChannelPair(
      { peer, maxFrameBytes: 1 << 20 },
      { peer: 'self', maxFrameBytes: 1 << 20 },
      (_to, deliver) => queueMicrotask(deliver),
    );
    const served: Channel[] = [];
    allowances.admit('request', far, (paid) => void served.push(paid));
    return { near, served };
  };
  return { clock, asked, told, counters, named, gone, allowances, open };
}

describe('a known peer at work', () => {
  it('does not wait for strangers: they are read in small portions, are not at fault and lose no channel', () => {
    const { asked, counters, named, allowances, open } = world();
    named.add('established');
    allowances.worked('one', 40);
    expect(asked).toEqual([]);
    allowances.worked('established', 10);
    allowances.worked('one', 60);
    expect(asked).toHaveLength(1);
    const [, peer, durationMs] = asked[0]?.split(' ') ?? [];
    expect(peer).toBe('one');
    expect(Number(durationMs)).toBeGreaterThan(100);
    expect(Number(durationMs)).toBeLessThan(1000);
    allowances.worked('established', 500);
    expect(asked).toHaveLength(1);
    expect(open('one').served).toHaveLength(1);
    expect(counters.snapshot()).toEqual({ 'peer.paused': 1 });
    expect(allowances.held()).toEqual([]);
  });
});

describe('a channel that a peer opens', () => {
  it('is served at once while something is left, and waits for its turn when nothing is', async () => {
    const { clock, allowances, open, counters } = world();
    expect(open('one').served).toHaveLength(1);
    allowances.worked('one', 500);
    const { served } = open('one');
    await clock.advanceBy(400);
    expect(served).toHaveLength(0);
    await clock.advanceBy(200);
    expect(served).toHaveLength(1);
    expect(counters.snapshot()).toMatchObject({ 'channel.waited': 1 });
    expect(counters.snapshot()['channel.dropped']).toBeUndefined();
  });

  it('is dropped at once when too many wait, or when that would take too long', async () => {
    const { clock, allowances, open, counters } = world({ longestWaitMs: 1000, waitingPerPeer: 2 });
    allowances.worked('one', 500);
    allowances.worked('two', 700);
    const channels = [open('one'), open('one'), open('one'), open('two')];
    const dropped: number[] = [];
    for (const [index, { near }] of channels.entries()) void near.ended.then(() => dropped.push(index));
    await clock.settle();
    expect(dropped).toEqual([2, 3]);
    await clock.advanceBy(1000);
    expect(dropped).toEqual([2, 3]);
    expect(channels.map(({ served }) => served.length)).toEqual([1, 1, 0, 0]);
    expect(counters.snapshot()).toMatchObject({ 'channel.dropped': 2, 'fault.OVER_ALLOWANCE': 2 });
  });

  it('is dropped when others leave it nothing for too long, which is not its fault', async () => {
    const { clock, allowances, open, counters } = world({ longestWaitMs: 1000 });
    for (let index = 0; index < 11; index += 1) allowances.worked(`s${index}`, 100);
    const { near, served } = open('one');
    let isOver = false;
    void near.ended.then(() => {
      isOver = true;
    });
    for (let timeMs = 0; timeMs < 1000; timeMs += 50) {
      for (let index = 0; index < 10; index += 1) allowances.worked(`s${index}`, 2);
      await clock.advanceBy(50);
    }
    await clock.advanceBy(100);
    expect(isOver).toBe(true);
    expect(served).toEqual([]);
    expect(counters.snapshot()).toMatchObject({ 'channel.dropped': 1 });
    expect(counters.snapshot()['fault.OVER_ALLOWANCE']).toBeUndefined();
  });

  it('that ends while it waits leaves nothing behind', async () => {
    const { clock, allowances, open } = world();
    allowances.worked('one', 900);
    const { near, served } = open('one');
    near.abort();
    await clock.settle();
    await clock.advanceBy(60_000);
    expect(served).toHaveLength(0);
    expect(open('one').served).toHaveLength(1);
  });

  it('has each frame paid for before it is looked at, by its size', async () => {
    const { clock, open, counters } = world();
    const { near, served } = open('one');
    const [paid] = served;
    for (let index = 0; index < 110; index += 1) void near.send(new Uint8Array(1 << 20));
    let received = 0;
    const reading = (async () => {
      while ((await paid?.receive()) !== undefined) received += 1;
    })();
    await clock.settle();
    expect(received).toBeGreaterThan(65);
    expect(received).toBeLessThan(80);
    await clock.advanceBy(1200);
    expect(received).toBe(110);
    expect(counters.snapshot()['channel.waited']).toBeGreaterThan(0);
    near.abort();
    expect(await reading.catch((error: unknown) => codeOf(error))).toBe('CHANNEL_CLOSED');
  });

  it('says why it ends while a frame of it waits: it was too much, or the other side has gone', async () => {
    const { clock, allowances, open, counters } = world({ longestWaitMs: 1000 });
    const read = async (peer: string): Promise<{ near: PairedChannel; code: Promise<unknown> }> => {
      const { near, served } = open(peer);
      void near.send(Uint8Array.of(1));
      const reading = served[0]?.receive();
      allowances.worked(peer, 500);
      await clock.settle();
      const next = near.send(Uint8Array.of(2));
      void next.catch(() => {});
      const code = Promise.resolve(reading)
        .then(() => served[0]?.receive())
        .catch((error: unknown) => codeOf(error));
      await clock.settle();
      return { near, code };
    };
    const gone = await read('gone');
    gone.near.abort();
    expect(await gone.code).toBe('CHANNEL_CLOSED');
    expect(counters.snapshot()['channel.dropped']).toBeUndefined();
    const greedy = await read('greedy');
    allowances.worked('greedy', 500);
    await clock.advanceBy(1000);
    expect(await greedy.code).toBe('OVER_ALLOWANCE');
    expect(counters.snapshot()).toMatchObject({ 'channel.dropped': 1, 'fault.OVER_ALLOWANCE': 1 });
  });

  it('and dropped before anything came on it costs its peer, unless the connection was lost', async () => {
    const { clock, open, gone, counters } = world();
    const dropped = async (peer: string, words: number): Promise<void> => {
      const { near, served } = open(peer);
      for (let word = 0; word < words; word += 1) void near.send(Uint8Array.of(1));
      const reading = (async () => {
        while ((await served[0]?.receive()) !== undefined);
      })();
      await clock.settle();
      near.abort();
      expect(await reading.catch((error: unknown) => codeOf(error))).toBe('CHANNEL_CLOSED');
    };
    await dropped('one', 0);
    await dropped('one', 1);
    gone.add('two');
    await dropped('two', 0);
    expect(counters.snapshot()).toEqual({ 'fault.CHANNEL_UNUSED': 1 });
  });

  it('of this node itself costs nothing', () => {
    const { allowances, open, asked } = world();
    allowances.worked('self', 1e6);
    allowances.fault('self', 'MALFORMED');
    expect(open('self').served).toHaveLength(1);
    expect(asked).toEqual([]);
  });
});

describe('a peer that owes something', () => {
  it('is not read for as long as it does, and not for longer than the bound', () => {
    const { allowances, asked } = world({ longestHoldMs: 3000 });
    allowances.worked('one', 390);
    expect(asked).toEqual([]);
    allowances.worked('one', 30);
    allowances.worked('one', 1e6);
    expect(asked).toEqual(['hold one 101', 'hold one 3000']);
  });

  it('that is known is read on, whatever strangers of its own network do', async () => {
    const { allowances, asked, open } = world();
    allowances.knows((peer) => peer === 'regular@a');
    for (let index = 0; index < 50; index += 1) allowances.worked(`stranger-${index}@a`, 100);
    asked.length = 0;
    allowances.worked('regular@a', 1000);
    expect(asked).toEqual([]);
    expect(open('regular@a').served).toHaveLength(1);
    expect(open('newcomer@b').served).toHaveLength(0);
  });

  it('is known when the user named it', () => {
    const { allowances, named } = world();
    expect(allowances.isKnown('hub')).toBe(false);
    named.add('hub');
    expect(allowances.isKnown('hub')).toBe(true);
  });
});

describe('what is wrong', () => {
  it('costs its sender, and restrains one that goes on', () => {
    const { allowances, asked, counters } = world();
    for (let index = 0; index < 64; index += 1) allowances.fault('one', 'MALFORMED');
    expect(asked.filter((what) => what.startsWith('restrain'))).toEqual([]);
    allowances.fault('one', 'MALFORMED');
    expect(asked.at(-1)).toBe('restrain one');
    expect(counters.snapshot()).toMatchObject({ 'fault.MALFORMED': 65, 'peer.restrained': 1 });
  });

  it('now and then is borne for ever', async () => {
    const { allowances, asked, clock } = world();
    for (let second = 0; second < 120; second += 1) {
      for (let index = 0; index < 7; index += 1) allowances.fault('one', 'MALFORMED');
      await clock.advanceBy(1000);
    }
    expect(asked).toEqual([]);
  });

  it('is nobody’s fault where this node failed itself', () => {
    const { allowances, counters } = world();
    for (const code of ['INTERNAL', 'STORE_BUSY', 'CHANNEL_CLOSED', 'PEER_UNREACHABLE'])
      for (let index = 0; index < 500; index += 1) allowances.fault('one', code);
    expect(counters.snapshot()).toEqual({});
  });

  it('makes a stranger of a known peer for a while, before it is let go', async () => {
    const { allowances, asked, clock } = world({ distrustMs: 60_000 });
    allowances.knows(() => true);
    for (let index = 0; index < 65; index += 1) allowances.fault('one', 'BAD_SIGNATURE');
    expect(asked).toEqual(['spare one']);
    expect(allowances.isKnown('one')).toBe(false);
    allowances.fault('one', 'BAD_SIGNATURE');
    expect(asked.at(-1)).toBe('restrain one');
    await clock.advanceBy(60_001);
    expect(allowances.isKnown('one')).toBe(true);
  });

  it('is told to the operator once a minute, with who, whence and why', async () => {
    const { allowances, told, clock } = world();
    for (let index = 0; index < 500; index += 1) allowances.fault('one@192.0.2', 'OUT_OF_TURN');
    for (let index = 0; index < 500; index += 1) allowances.fault('two', 'NO_CONTRACT');
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({
      peers: 1,
      newest: [{ peer: 'one@192.0.2', prefix: '192.0.2', code: 'OUT_OF_TURN' }],
    });
    expect(allowances.held().map(({ peer }) => peer)).toEqual(['two', 'one@192.0.2']);
    await clock.advanceBy(60_000);
    for (let index = 0; index < 500; index += 1) allowances.fault('two', 'NO_CONTRACT');
    expect(told).toHaveLength(2);
    await clock.advanceBy(60_001);
    expect(allowances.held()).toEqual([]);
  });
});
