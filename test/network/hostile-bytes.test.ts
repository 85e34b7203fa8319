import type { Connection, MessageStream } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { afterThisTurn } from '../../src/lib/clock.ts';
import type { Host } from '../../src/network/libp2p/host.ts';
import type { Channel, ProtocolLimits, Underlay } from '../../src/network/underlay.ts';
import { newHost } from './libp2p-hosts.ts';
import { createNode, until } from './libp2p-nodes.ts';

const PROTOCOL = '/test/hostile/1';
const GOSSIP = '/meshsub/1.2.0';
const PING = '/ipfs/ping/1.0.0';
const LIMITS: ProtocolLimits = { maxFrameBytes: 1024 * 1024, maxChannels: 64, maxChannelsPerPeer: 32 };
const OPEN = { timeoutMs: 5000 };
/** Of a processor: far above what a turn takes here, and far below what one chunk took in one turn. */
const LONGEST_TURN_MS = 300;
const CHUNK_BYTES = 64_000;
const [DATA, WINDOW, MUX_PING] = [0, 1, 2] as const;
const [SYN, RST] = [1, 8] as const;

function frame(type: number, flag: number, id: number, data: Uint8Array | number): Buffer {
  const body = typeof data === 'number' ? Buffer.alloc(0) : Buffer.from(data);
  const header = Buffer.alloc(12);
  header[1] = type;
  header.writeUInt16BE(flag, 2);
  header.writeUInt32BE(id, 4);
  header.writeUInt32BE(typeof data === 'number' ? data : data.length, 8);
  return Buffer.concat([header, body]);
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const many = (one: Uint8Array): Buffer =>
  Buffer.concat(Array<Uint8Array>(Math.floor(CHUNK_BYTES / one.length)).fill(one));

describe('a peer that writes its own bytes below the protocols', () => {
  let node: Underlay;
  let regular: Underlay;
  let hostile: Host;
  let connection: Connection;
  let faults: string[];
  let workedMs: number;
  let nextId = 100_001;

  beforeEach(async () => {
    faults = [];
    workedMs = 0;
    node = createNode();
    node.subscribe('/test/hostile-topic/1', () => 'ignore');
    node.handle(PROTOCOL, LIMITS, (channel) => void echo(channel).catch(() => {}));
    hostile = await newHost();
    node.listen({
      peerConnected: () => {},
      peerDisconnected: () => {},
      subscribersChanged: () => {},
      faulted: (peer, code) =>
        faults.push(`${peer === hostile.peerId.toString() ? 'hostile' : peer} ${code}`),
      worked: (peer, ms) => {
        if (peer === hostile.peerId.toString()) workedMs += ms;
      },
    });
    await node.start();
    regular = createNode({ bootstrap: node.multiaddrs() });
    await Promise.all([regular.start(), hostile.start()]);
    connection = await hostile.dial(multiaddr(node.multiaddrs()[0]));
    await until(() => node.connectedPeers().length === 2);
  });

  afterEach(async () => {
    connection.abort(new Error('over'));
    await Promise.all([regular.stop(), node.stop(), hostile.stop()]);
  });

  async function echo(channel: Channel): Promise<void> {
    for (let got = await channel.receive(); got !== undefined; got = await channel.receive()) {
      await channel.send(got);
    }
  }

  function below(): MessageStream {
    const muxer: unknown = Reflect.get(connection, 'muxer');
    return Reflect.get(muxer as object, 'maConn') as MessageStream;
  }

  const say = (bytes: Uint8Array): boolean => below().send(bytes);

  async function idOf(protocol: string): Promise<number> {
    const stream = await connection.newStream(protocol);
    return Number(stream.id);
  }

  const newId = (): number => (nextId += 2);

  /** The longest turn of the event loop, in processor time, from what is said until an established requester's exchanges beside it are answered. */
  async function longestTurnMs(bytes: Uint8Array): Promise<number> {
    const channel = await regular.open(node.self, PROTOCOL, LIMITS, OPEN);
    let longestMs = 0;
    let lastMs = processorMs();
    let goesOn = true;
    const watch = (): void => {
      const nowMs = processorMs();
      longestMs = Math.max(longestMs, nowMs - lastMs);
      lastMs = nowMs;
      if (goesOn) afterThisTurn(watch);
    };
    afterThisTurn(watch);
    say(bytes);
    for (let round = 0; round < 20; round += 1) {
      await channel.send(Uint8Array.of(round));
      expect(await channel.receive()).toEqual(Uint8Array.of(round));
    }
    goesOn = false;
    return longestMs;
  }

  it.each<readonly [string, () => Promise<Uint8Array>]>([
    ['pings of the multiplexer', () => Promise.resolve(many(frame(MUX_PING, SYN, 0, 7)))],
    [
      'streams that are opened and reset',
      () =>
        Promise.resolve(
          Buffer.concat(
            Array.from({ length: 2500 }, newId).flatMap((id) => [
              frame(WINDOW, SYN, id, 0),
              frame(WINDOW, RST, id, 0),
            ]),
          ),
        ),
    ],
    [
      'words before a protocol is agreed on',
      () => Promise.resolve(frame(DATA, SYN, newId(), many(Buffer.from('\u0003ls\n')))),
    ],
    ['empty gossip', async () => frame(DATA, 0, await idOf(GOSSIP), new Uint8Array(CHUNK_BYTES))],
    [
      'pings of one byte',
      async () => {
        const id = await idOf(PING);
        return many(frame(DATA, 0, id, Uint8Array.of(1)));
      },
    ],
    ['frames of one byte', async () => frame(DATA, 0, await idOf(PROTOCOL), many(Uint8Array.of(1, 7)))],
  ])('holds up nobody by a chunk of %s, and the work counts', async (_, make) => {
    const bytes = await make();
    const beforeMs = workedMs;
    expect(await longestTurnMs(bytes)).toBeLessThan(LONGEST_TURN_MS);
    await until(() => workedMs - beforeMs > 1);
  });

  it('is told of, by a code, and its connection is ended where the multiplexer makes no sense of it', async () => {
    say(frame(DATA, SYN, newId(), 0xf000_0000));
    await until(() => faults.includes('hostile MUX_WINDOW_EXCEEDED'));
    await until(() => connection.status !== 'open');
    const channel = await regular.open(node.self, PROTOCOL, LIMITS, OPEN);
    await channel.send(Uint8Array.of(1));
    expect(await channel.receive()).toEqual(Uint8Array.of(1));
  });

  it('is told of once for each stream of empty frames', async () => {
    for (let count = 0; count < 3; count += 1)
      say(frame(DATA, 0, await idOf(PROTOCOL), new Uint8Array(CHUNK_BYTES)));
    await until(() => faults.length === 3);
    expect(new Set(faults)).toEqual(new Set(['hostile FRAME_EMPTY']));
  });

  it('cannot have answers kept that it never reads', async () => {
    const socket: unknown = Reflect.get(Reflect.get(connection, 'maConn') as object, 'socket');
    (socket as { pause(): void }).pause();
    const pings = many(frame(MUX_PING, SYN, 0, 7));
    for (let sent = 0; connection.status === 'open' && sent < 4000 && faults.length === 0; sent += 1) {
      say(pings);
      await new Promise<void>(afterThisTurn);
      while (connection.status === 'open' && below().writeBufferLength > CHUNK_BYTES && faults.length === 0) {
        await new Promise<void>(afterThisTurn);
      }
    }
    await until(() => faults.length > 0);
    expect(faults).toEqual(['hostile UNSENT_TOO_MUCH']);
  });
});
