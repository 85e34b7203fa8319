import { describe, expect, it } from 'vitest';
import { codeOf } from '../../../src/lib/coded-error.ts';
import { withLoopback } from '../../../src/network/loopback.ts';
import type { Channel, Underlay } from '../../../src/network/underlay.ts';
import { underlaySuite } from '../../suites/underlay.suite.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';
import { SeededRandom } from '../../simulation/seeded-random.ts';
import { SimulatedNetwork, type SimulatedNetworkOptions } from '../../simulation/simulated-network.ts';

const PROTOCOL = '/test/1';
const LIMITS = { maxFrameBytes: 300_000, maxChannelsPerPeer: 2, maxChannels: 3 };
const WIDE_LIMITS = { ...LIMITS, maxFrameBytes: LIMITS.maxFrameBytes + 1 };
const TOPIC = 'topic';

interface Rig {
  readonly clock: FakeClock;
  readonly underlay: Underlay;
  /** Who is to be opened to. */
  readonly target: string;
  readonly accepted: Channel[];
}

function simulation(options: Partial<SimulatedNetworkOptions> = {}): {
  clock: FakeClock;
  world: SimulatedNetwork;
} {
  const clock = new FakeClock();
  return { clock, world: new SimulatedNetwork(clock, new SeededRandom('underlay'), options) };
}

const rigs: readonly (readonly [string, () => Promise<Rig>])[] = [
  [
    'the simulated network',
    async () => {
      const { clock, world } = simulation();
      const accepted: Channel[] = [];
      const target = world.node('target').underlay;
      target.handle(PROTOCOL, LIMITS, (channel) => accepted.push(channel));
      const { underlay } = world.node('caller');
      await target.start();
      await underlay.start();
      return { clock, underlay, target: 'target', accepted };
    },
  ],
  [
    'the loopback',
    async () => {
      const { clock, world } = simulation();
      const accepted: Channel[] = [];
      const underlay = withLoopback(world.node('self').underlay);
      underlay.handle(PROTOCOL, LIMITS, (channel) => accepted.push(channel));
      await underlay.start();
      return { clock, underlay, target: 'self', accepted };
    },
  ],
];

describe.each(rigs)('a channel over %s', (_name, rig) => {
  async function opened(): Promise<Rig & { near: Channel; far: Channel }> {
    const parts = await rig();
    const { clock, underlay, target, accepted } = parts;
    const near = await clock.runUntilSettled(
      underlay.open(target, PROTOCOL, WIDE_LIMITS, { timeoutMs: 1000 }),
      5000,
    );
    await clock.settle();
    return { ...parts, near, far: accepted[0]! };
  }

  const rejection = (clock: FakeClock, work: Promise<unknown>): Promise<string | undefined> =>
    clock.runUntilSettled(
      work.then(
        () => undefined,
        (error: unknown) => codeOf(error),
      ),
      10_000,
    );

  it('carries frames in order, both ways, and no empty one', async () => {
    const { clock, underlay, target, near, far } = await opened();
    expect([near.peer, far.peer]).toEqual([target, underlay.self]);
    for (const byte of [1, 2, 3]) void near.send(new Uint8Array(byte).fill(byte));
    await expect(near.send(new Uint8Array())).rejects.toMatchObject({ code: 'FRAME_EMPTY' });
    void far.send(new Uint8Array([9]));
    for (const length of [1, 2, 3])
      expect(await clock.runUntilSettled(far.receive(), 1000)).toHaveLength(length);
    expect(await clock.runUntilSettled(near.receive(), 1000)).toEqual(new Uint8Array([9]));
  });

  it('ends one half at a time', async () => {
    const { clock, near, far } = await opened();
    let over = 0;
    for (const end of [near, far]) void end.ended.then(() => (over += 1));
    void near.send(new Uint8Array([1]));
    await near.close();
    expect(await rejection(clock, near.send(new Uint8Array([2])))).toBe('CHANNEL_CLOSED');
    expect(await clock.runUntilSettled(far.receive(), 1000)).toEqual(new Uint8Array([1]));
    expect(await clock.runUntilSettled(far.receive(), 1000)).toBeUndefined();
    await far.send(new Uint8Array([3]));
    expect(over).toBe(0);
    await far.close();
    expect(await clock.runUntilSettled(near.receive(), 1000)).toEqual(new Uint8Array([3]));
    expect(await clock.runUntilSettled(near.receive(), 1000)).toBeUndefined();
    await clock.advanceBy(100);
    expect(over).toBe(2);
  });

  it('is gone for both when one drops it', async () => {
    const { clock, near, far } = await opened();
    const waiting = rejection(clock, far.receive());
    near.abort();
    expect(await waiting).toBe('CHANNEL_CLOSED');
    expect(await rejection(clock, near.receive())).toBe('CHANNEL_CLOSED');
    expect(await rejection(clock, far.send(new Uint8Array(1)))).toBe('CHANNEL_CLOSED');
    await clock.runUntilSettled(Promise.all([near.ended, far.ended]), 1000);
  });

  it('lets a sender wait for its reader', async () => {
    const { clock, near, far } = await opened();
    let sent = 0;
    void (async () => {
      for (let index = 0; index < 20; index += 1) {
        await near.send(new Uint8Array(100_000));
        sent += 1;
      }
    })();
    await clock.advanceBy(1000);
    expect(sent).toBeLessThan(10);
    for (let index = 0; index < 20; index += 1) await clock.runUntilSettled(far.receive(), 1000);
    await clock.advanceBy(1000);
    expect(sent).toBe(20);
  });

  it('breaks on a frame over the limit', async () => {
    const { clock, near, far } = await opened();
    void near.send(new Uint8Array(LIMITS.maxFrameBytes)).catch(() => {});
    expect(await clock.runUntilSettled(far.receive(), 1000)).toHaveLength(LIMITS.maxFrameBytes);
    void near.send(new Uint8Array(LIMITS.maxFrameBytes + 1)).catch(() => {});
    expect(await rejection(clock, far.receive())).toBe('FRAME_TOO_LARGE');
    expect(await rejection(clock, near.receive())).toBe('CHANNEL_CLOSED');
  });

  it('is one of a bounded number from one peer', async () => {
    const { clock, underlay, target, near, accepted } = await opened();
    const open = (): Promise<Channel> =>
      clock.runUntilSettled(underlay.open(target, PROTOCOL, LIMITS, { timeoutMs: 1000 }), 5000);
    await open();
    const third = await open();
    await clock.runUntilSettled(third.ended, 1000);
    expect(accepted).toHaveLength(2);
    near.abort();
    await clock.advanceBy(100);
    await open();
    await clock.advanceBy(100);
    expect(accepted).toHaveLength(3);
  });

  it('needs a protocol that is served', async () => {
    const { clock, underlay, target } = await opened();
    const unknown = underlay.open(target, '/other/1', LIMITS, { timeoutMs: 1000 });
    expect(await rejection(clock, unknown)).toBe('PROTOCOL_UNSUPPORTED');
  });
});

describe('the loopback', () => {
  it('gives a node its own gossip, and leaves it out of the subscribers', async () => {
    const { clock, world } = simulation();
    const heard: [string, string, Uint8Array][] = [];
    const start = async (name: string): Promise<Underlay> => {
      const underlay = withLoopback(world.node(name).underlay);
      underlay.subscribe(TOPIC, (from, message) => {
        heard.push([name, from, message]);
        return 'accept';
      });
      await underlay.start();
      return underlay;
    };
    const [a] = [await start('a'), await start('b')];
    const message = new Uint8Array([1]);
    await a.publish(TOPIC, message);
    await clock.advanceBy(1000);
    expect(heard).toEqual([
      ['a', 'a', message],
      ['b', 'a', message],
    ]);
    expect(a.subscribers(TOPIC)).toEqual(['b']);
    expect([a.isConnected('a'), a.isConnected('b'), a.isConnected('c')]).toEqual([true, true, false]);
  });

  it('drops its channels at the stop', async () => {
    const { clock, world } = simulation();
    const underlay = withLoopback(world.node('self').underlay);
    underlay.handle(PROTOCOL, LIMITS, () => {});
    await underlay.start();
    const channel = await underlay.open('self', PROTOCOL, LIMITS, { timeoutMs: 1000 });
    await underlay.stop();
    expect(await clock.runUntilSettled(channel.ended, 1000)).toBeUndefined();
  });
});

underlaySuite({
  name: 'simulated',
  connect: async (count, prepare) => {
    const { clock, world } = simulation();
    const nodes = Array.from({ length: count }, (_, index) => world.node(`node-${index}`).underlay);
    for (const [index, node] of nodes.entries()) {
      prepare(node, index);
      await node.start();
    }
    return {
      nodes,
      run: (work) => clock.runUntilSettled(work, 60_000),
      until: (condition) => clock.runUntil(condition, 60_000),
      stop: async () => {
        for (const node of nodes) await node.stop();
      },
    };
  },
});

describe('the simulated network', () => {
  it('has one history for one seed', async () => {
    const history = async (seed: string): Promise<string[]> => {
      const clock = new FakeClock();
      const world = new SimulatedNetwork(clock, new SeededRandom(seed), {
        gossipLoss: 0.3,
        gossipRepeat: 0.3,
        gossipJitterMs: 100,
        channelBreak: 0.1,
      });
      const events: string[] = [];
      const log = (event: string): number => events.push(`${clock.monotonicMs().toFixed(3)} ${event}`);
      const underlays = [];
      for (const name of ['a', 'b', 'c', 'd', 'e']) {
        const { underlay } = world.node(name);
        underlay.subscribe(TOPIC, (from, message) => {
          log(`${name} hears ${message.join()} from ${from}`);
          return 'accept';
        });
        underlay.handle(PROTOCOL, LIMITS, (channel) => {
          void channel.ended.then(() => log(`${name} ends with ${channel.peer}`));
        });
        await underlay.start();
        underlays.push(underlay);
      }
      for (const [index, underlay] of underlays.entries()) {
        await underlay.publish(TOPIC, new Uint8Array([index]));
        const channel = await clock.runUntilSettled(
          underlay.open(index === 0 ? 'b' : 'a', PROTOCOL, LIMITS, { timeoutMs: 1000 }),
          5000,
        );
        for (let frame = 0; frame < 10; frame += 1) channel.send(new Uint8Array(1)).catch(() => {});
      }
      await clock.advanceBy(10_000);
      return events;
    };
    const first = await history('one');
    expect(first.length).toBeGreaterThan(20);
    expect(await history('one')).toEqual(first);
    expect(await history('two')).not.toEqual(first);
  });

  it('keeps a crashed node silent for ever, and lets the others notice later', async () => {
    const { clock, world } = simulation({ breakDetectionMs: 500 });
    const far: Channel[] = [];
    const events: string[] = [];
    const survivor = world.node('survivor').underlay;
    survivor.handle(PROTOCOL, LIMITS, (channel) => far.push(channel));
    survivor.listen({
      peerConnected: (peer) => events.push(`+${peer}`),
      peerDisconnected: (peer) => events.push(`-${peer}`),
      subscribersChanged: () => {},
    });
    await survivor.start();
    const doomed = world.node('doomed');
    await doomed.underlay.start();
    const channel = await clock.runUntilSettled(
      doomed.underlay.open('survivor', PROTOCOL, LIMITS, { timeoutMs: 1000 }),
      5000,
    );
    let spoke = false;
    const speak = (): void => {
      spoke = true;
    };
    doomed.clock.after(100, speak);
    for (const work of [
      channel.receive(),
      channel.ended,
      doomed.underlay.open('survivor', PROTOCOL, LIMITS, { timeoutMs: 1 }),
    ]) {
      work.then(speak, speak);
    }
    void far[0]!.send(new Uint8Array([1]));
    doomed.crash();
    await clock.advanceBy(400);
    expect(events).toEqual(['+doomed']);
    expect(survivor.isConnected('doomed')).toBe(true);
    await clock.advanceBy(10_000);
    expect(events).toEqual(['+doomed', '-doomed']);
    expect(spoke).toBe(false);
    await clock.runUntilSettled(far[0]!.ended, 1000);
    expect(world.openChannels()).toBe(0);
  });

  it('brings a node that was started again back to the others, also before they noticed the crash', async () => {
    const { clock, world } = simulation({ breakDetectionMs: 500 });
    const events: string[] = [];
    const other = world.node('other').underlay;
    other.listen({
      peerConnected: (peer) => events.push(`+${peer}`),
      peerDisconnected: (peer) => events.push(`-${peer}`),
      subscribersChanged: () => {},
    });
    await other.start();
    const first = world.node('node');
    await first.underlay.start();
    first.crash();
    const second = world.node('node');
    await second.underlay.start();
    await clock.advanceBy(5000);
    expect(events).toEqual(['+node', '-node', '+node']);
    expect([other.isConnected('node'), second.underlay.isConnected('other')]).toEqual([true, true]);
    expect(first.underlay.isConnected('other') && second.clock.monotonicMs() === clock.monotonicMs()).toBe(
      true,
    );
  });

  it('parts what a partition parts, and joins it again', async () => {
    const { clock, world } = simulation({ breakDetectionMs: 500 });
    const heard: string[] = [];
    const underlays = new Map<string, Underlay>();
    for (const name of ['a', 'b', 'c']) {
      const { underlay } = world.node(name);
      underlay.subscribe(TOPIC, () => {
        heard.push(name);
        return 'accept';
      });
      underlay.handle(PROTOCOL, LIMITS, () => {});
      await underlay.start();
      underlays.set(name, underlay);
    }
    const a = underlays.get('a')!;
    const open = (): Promise<Channel> =>
      a.open('c', PROTOCOL, LIMITS, { timeoutMs: 1000, peerRecord: new Uint8Array() });
    const channel = await clock.runUntilSettled(open(), 1000);
    world.partition(['a', 'b'], ['c']);
    await a.publish(TOPIC, new Uint8Array([1]));
    await expect(clock.runUntilSettled(open(), 5000)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
    await clock.runUntilSettled(channel.ended, 1000);
    expect(heard).toEqual(['b']);
    expect(a.connectedPeers()).toEqual(['b']);
    world.heal();
    await clock.advanceBy(1000);
    expect(a.connectedPeers()).toEqual(['b', 'c']);
    await clock.runUntilSettled(open(), 1000);
    await a.publish(TOPIC, new Uint8Array([2]));
    await clock.advanceBy(1000);
    expect(heard.toSorted()).toEqual(['b', 'b', 'c']);
  });
});
