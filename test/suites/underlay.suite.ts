import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codeOf, messageOf } from '../../src/lib/coded-error.ts';
import type { Channel, GossipVerdict, ProtocolLimits, Underlay } from '../../src/network/underlay.ts';

/** A few started nodes, every one connected with every other. */
export interface ConnectedNodes {
  readonly nodes: readonly Underlay[];
  /** Lets the network go on until the work is done: a simulated one moves its clock. */
  run<T>(work: Promise<T>): Promise<T>;
  /** Lets the network go on until the condition holds; rejects when it never does. */
  until(condition: () => boolean): Promise<void>;
  stop(): Promise<void>;
}

export interface UnderlayUnderTest {
  readonly name: string;
  /** `prepare` registers handlers, topics and listeners on each node before it starts. */
  connect(count: number, prepare: (node: Underlay, index: number) => void): Promise<ConnectedNodes>;
}

const TOPIC = '/suite/topic/1';
const QUIET_TOPIC = '/suite/quiet/1';
const UNKNOWN_TOPIC = '/suite/unknown/1';
const ECHO = '/suite/echo/1';
const HELD = '/suite/held/1';
const NARROW = '/suite/narrow/1';
const UNKNOWN = '/suite/unknown/1';
const LIMITS: ProtocolLimits = { maxFrameBytes: 4096, maxChannels: 64, maxChannelsPerPeer: 16 };
const TWO_PER_PEER: ProtocolLimits = { maxFrameBytes: 64, maxChannels: 64, maxChannelsPerPeer: 2 };
const OPEN = { timeoutMs: 5000 };
/** A valid peer id that belongs to nobody in the network. */
const STRANGER = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN';

interface Received {
  readonly node: number;
  readonly from: string;
  readonly text: string;
}

interface Events {
  readonly disconnected: string[];
  readonly subscribersChanged: string[];
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (frame: Uint8Array | undefined): string | undefined =>
  frame === undefined ? undefined : new TextDecoder().decode(frame);

async function echo(channel: Channel): Promise<void> {
  try {
    for (let frame = await channel.receive(); frame !== undefined; frame = await channel.receive()) {
      await channel.send(frame);
    }
    await channel.close();
  } catch {
    channel.abort();
  }
}

/** What every transport under the protocols promises; run by the real one and by the simulated one. */
export function underlaySuite(underTest: UnderlayUnderTest): void {
  describe(`underlay: ${underTest.name}`, () => {
    let network: ConnectedNodes;
    let received: Received[];
    let held: { readonly node: number; readonly channel: Channel }[];
    let events: Events[];
    let verdict: GossipVerdict;

    const node = (index: number): Underlay => network.nodes[index]!;
    const peer = (index: number): string => node(index).self;
    const heldBy = (index: number): Channel[] =>
      held.filter((entry) => entry.node === index).map((entry) => entry.channel);
    const open = (from: number, to: number, protocol: string, limits = LIMITS): Promise<Channel> =>
      network.run(node(from).open(peer(to), protocol, limits, OPEN));
    /** The code the work fails with, `undefined` when it does not fail. */
    const failure = (work: Promise<unknown>): Promise<string | undefined> =>
      network.run(
        work.then(
          () => undefined,
          (error: unknown) => codeOf(error) ?? messageOf(error),
        ),
      );

    function prepare(underlay: Underlay, index: number): void {
      const seen: Events = { disconnected: [], subscribersChanged: [] };
      events[index] = seen;
      underlay.listen({
        peerConnected: () => {},
        peerDisconnected: (gone) => seen.disconnected.push(gone),
        subscribersChanged: (topic) => seen.subscribersChanged.push(topic),
      });
      if (index < 3) {
        underlay.subscribe(TOPIC, (from, message) => {
          received.push({ node: index, from, text: text(message) ?? '' });
          return verdict;
        });
      }
      underlay.handle(ECHO, LIMITS, (channel) => void echo(channel));
      underlay.handle(HELD, TWO_PER_PEER, (channel) => held.push({ node: index, channel }));
      underlay.handle(NARROW, TWO_PER_PEER, (channel) => held.push({ node: index, channel }));
    }

    /** Node 3 listens on no topic. */
    beforeEach(async () => {
      received = [];
      held = [];
      events = [];
      verdict = 'accept';
      network = await underTest.connect(4, prepare);
      await network.until(() =>
        network.nodes.every((one, index) => one.subscribers(TOPIC).length === (index < 3 ? 2 : 3)),
      );
    });

    afterEach(() => network.stop());

    it('knows itself and whom it is connected with', () => {
      const ids = network.nodes.map((one) => one.self);
      expect(new Set(ids).size).toBe(4);
      for (const one of network.nodes) {
        const others = ids.filter((id) => id !== one.self);
        expect([...one.connectedPeers()].toSorted()).toEqual(others.toSorted());
        expect(others.every((id) => one.isConnected(id))).toBe(true);
        expect(one.isConnected(one.self)).toBe(false);
        expect(one.isConnected(STRANGER)).toBe(false);
      }
    });

    it('names its addresses and signs a record of them', () => {
      expect(
        node(0)
          .multiaddrs()
          .every((address) => address.endsWith(`/p2p/${peer(0)}`)),
      ).toBe(true);
      expect(node(0).peerRecord().byteLength).toBeGreaterThan(0);
      expect(node(0).peerRecord()).not.toEqual(node(1).peerRecord());
    });

    it('lists who listens on a topic, never itself, and tells of changes', async () => {
      expect([...node(0).subscribers(TOPIC)].toSorted()).toEqual([peer(1), peer(2)].toSorted());
      expect([...node(3).subscribers(TOPIC)].toSorted()).toEqual([peer(0), peer(1), peer(2)].toSorted());
      expect(node(0).subscribers(UNKNOWN_TOPIC)).toEqual([]);
      await network.until(() => events.every((seen) => seen.subscribersChanged.includes(TOPIC)));
    });

    it('learns of a topic that is subscribed later', async () => {
      node(3).subscribe(QUIET_TOPIC, () => 'accept');
      await network.until(() => events[0]!.subscribersChanged.includes(QUIET_TOPIC));
      expect(node(0).subscribers(QUIET_TOPIC)).toEqual([peer(3)]);
      expect(node(3).subscribers(QUIET_TOPIC)).toEqual([]);
    });

    it.each([0, 3])('gossips from node %i to every other subscriber once', async (publisher) => {
      await network.run(node(publisher).publish(TOPIC, bytes('first')));
      await network.run(node(publisher).publish(TOPIC, bytes('second')));
      const others = [0, 1, 2].filter((index) => index !== publisher);
      await network.until(() => received.length >= others.length * 2);
      for (const index of others) {
        const texts = received.filter((one) => one.node === index).map((one) => one.text);
        expect(texts.toSorted()).toEqual(['first', 'second']);
      }
      expect(received.every((one) => node(one.node).isConnected(one.from))).toBe(true);
    });

    it.each<GossipVerdict>(['ignore', 'reject'])('goes on after a verdict of %s', async (given) => {
      verdict = given;
      await network.run(node(0).publish(TOPIC, bytes('refused')));
      await network.until(() => received.length >= 2);
      verdict = 'accept';
      await network.run(node(0).publish(TOPIC, bytes('fine')));
      await network.until(() => received.length === 4);
      expect(received.map((one) => one.text)).toEqual(['refused', 'refused', 'fine', 'fine']);
    });

    it('drops what is published where nobody listens', async () => {
      await network.run(node(0).publish(UNKNOWN_TOPIC, bytes('lost')));
      expect(received).toEqual([]);
    });

    it('refuses to publish more than a message may have', async () => {
      await network.run(node(0).publish(TOPIC, new Uint8Array(node(0).maxGossipBytes)));
      await network.until(() => received.length === 2);
      expect(await failure(node(0).publish(TOPIC, new Uint8Array(node(0).maxGossipBytes + 1)))).toBe(
        'GOSSIP_TOO_LARGE',
      );
    });

    it('carries frames both ways, in order and whole', async () => {
      const channel = await open(0, 1, ECHO);
      expect(channel.peer).toBe(peer(1));
      const frames = ['a', 'b'.repeat(LIMITS.maxFrameBytes), 'c'];
      for (const frame of frames) await network.run(channel.send(bytes(frame)));
      for (const frame of frames) expect(text(await network.run(channel.receive()))).toBe(frame);
      channel.abort();
    });

    it('keeps the order of a thousand frames', async () => {
      const channel = await open(0, 1, ECHO);
      const sent = Array.from({ length: 1000 }, (_, index) => `frame ${index}`);
      const sending = (async () => {
        for (const frame of sent) await channel.send(bytes(frame));
        await channel.close();
      })();
      const back: (string | undefined)[] = [];
      while (back.length <= sent.length) back.push(text(await network.run(channel.receive())));
      await network.run(sending);
      expect(back).toEqual([...sent, undefined]);
      await network.run(channel.ended);
    });

    it('has many channels to one peer at a time', async () => {
      const channels = await Promise.all(Array.from({ length: 8 }, () => open(0, 1, ECHO)));
      await Promise.all(channels.map((channel, index) => network.run(channel.send(bytes(`${index}`)))));
      const answers = await Promise.all(channels.map((channel) => network.run(channel.receive())));
      expect(answers.map(text)).toEqual(channels.map((_, index) => `${index}`));
    });

    it('tells the handler who opened the channel', async () => {
      await open(2, 1, HELD);
      await network.until(() => heldBy(1).length === 1);
      expect(heldBy(1)[0]!.peer).toBe(peer(2));
    });

    it('ends one half at a time', async () => {
      const here = await open(0, 1, HELD);
      await network.run(here.send(bytes('question')));
      await network.run(here.close());
      await network.until(() => heldBy(1).length === 1);
      const there = heldBy(1)[0]!;
      expect(text(await network.run(there.receive()))).toBe('question');
      expect(await network.run(there.receive())).toBeUndefined();
      expect(await network.run(there.receive())).toBeUndefined();
      await network.run(there.send(bytes('answer')));
      await network.run(there.close());
      expect(text(await network.run(here.receive()))).toBe('answer');
      expect(await network.run(here.receive())).toBeUndefined();
      await network.run(Promise.all([here.ended, there.ended]));
      expect(await failure(here.send(bytes('late')))).toBe('CHANNEL_CLOSED');
    });

    it('drops a channel both ways when it is aborted', async () => {
      const here = await open(0, 1, HELD);
      await network.until(() => heldBy(1).length === 1);
      const there = heldBy(1)[0]!;
      const waiting = failure(there.receive());
      here.abort();
      expect(await waiting).toBe('CHANNEL_CLOSED');
      await network.run(Promise.all([here.ended, there.ended]));
      expect(await failure(here.receive())).toBe('CHANNEL_CLOSED');
      expect(await failure(here.send(bytes('late')))).toBe('CHANNEL_CLOSED');
      expect(await failure(there.send(bytes('late')))).toBe('CHANNEL_CLOSED');
    });

    it('refuses to send a frame over the limit, and goes on', async () => {
      const channel = await open(0, 1, ECHO);
      expect(await failure(channel.send(new Uint8Array(LIMITS.maxFrameBytes + 1)))).toBe('FRAME_TOO_LARGE');
      await network.run(channel.send(bytes('fine')));
      expect(text(await network.run(channel.receive()))).toBe('fine');
    });

    it('refuses to send an empty frame, and goes on', async () => {
      const channel = await open(0, 1, ECHO);
      expect(await failure(channel.send(bytes('')))).toBe('FRAME_EMPTY');
      await network.run(channel.send(bytes('fine')));
      expect(text(await network.run(channel.receive()))).toBe('fine');
    });

    it('drops a channel on which a frame over the limit arrives', async () => {
      const here = await open(0, 1, NARROW, LIMITS);
      await network.until(() => heldBy(1).length === 1);
      const there = heldBy(1)[0]!;
      await network.run(here.send(new Uint8Array(TWO_PER_PEER.maxFrameBytes + 1)));
      expect(await failure(there.receive())).toBe('FRAME_TOO_LARGE');
      await network.run(Promise.all([here.ended, there.ended]));
      expect(await failure(here.receive())).toBe('CHANNEL_CLOSED');
    });

    it('bounds the channels of one peer, not those of others', async () => {
      const [first] = [await open(0, 1, HELD), await open(0, 1, HELD)];
      await network.until(() => heldBy(1).length === 2);
      expect(await failure(open(0, 1, HELD).then((third) => third.receive()))).toBe('CHANNEL_CLOSED');
      await open(2, 1, HELD);
      await network.until(() => heldBy(1).length === 3);
      first.abort();
      await network.run(Promise.race(heldBy(1).map((channel) => channel.ended)));
      await open(0, 1, HELD);
      await network.until(() => heldBy(1).length === 4);
    });

    it('says that a peer does not speak a protocol', async () => {
      expect(await failure(node(0).open(peer(1), UNKNOWN, LIMITS, OPEN))).toBe('PROTOCOL_UNSUPPORTED');
    });

    it('reaches neither strangers nor itself without a record', async () => {
      expect(await failure(node(0).open(STRANGER, ECHO, LIMITS, OPEN))).toBe('PEER_UNREACHABLE');
      expect(await failure(node(0).open(peer(0), ECHO, LIMITS, OPEN))).toBe('PEER_UNREACHABLE');
    });

    it('meets whom it is connected with already, and nobody who is gone', async () => {
      const record = node(1).peerRecord();
      expect(await failure(node(0).meet(peer(1), record))).toBeUndefined();
      expect([...node(0).connectedPeers()].filter((one) => one === peer(1))).toHaveLength(1);
      await network.run(node(1).stop());
      await network.until(() => !node(0).isConnected(peer(1)));
      expect(await failure(node(0).meet(peer(1), record))).toBe('PEER_UNREACHABLE');
    });

    it('tells of a node that stops, and drops its channels', async () => {
      const here = await open(0, 1, HELD);
      await network.until(() => heldBy(1).length === 1);
      const waiting = failure(here.receive());
      const before = events[0]!.subscribersChanged.length;
      await network.run(node(1).stop());
      expect(await waiting).toBe('CHANNEL_CLOSED');
      await network.until(() => !node(0).isConnected(peer(1)));
      expect(events[0]!.disconnected).toEqual([peer(1)]);
      expect(node(0).subscribers(TOPIC)).toEqual([peer(2)]);
      expect(events[0]!.subscribersChanged.length).toBeGreaterThan(before);
      expect(await failure(node(0).open(peer(1), ECHO, LIMITS, OPEN))).toBe('PEER_UNREACHABLE');
    });
  });
}
