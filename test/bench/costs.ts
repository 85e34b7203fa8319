import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Evidence, Notary } from '../../src/domain/market/evidence.ts';
import { identityOf } from '../../src/identity/key-pair.ts';
import { createNotary, createVerifier } from '../../src/identity/notary.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { envelopeOf } from '../../src/messages/envelope.ts';
import { encodeFrame, type Frame } from '../../src/messages/frame.ts';
import { defaultAllowanceLimits } from '../../src/network/allowances/limits.ts';
import { createNetwork, type Network } from '../../src/network/index.ts';
import { createLibp2pUnderlay } from '../../src/network/libp2p/libp2p-underlay.ts';
import { defaultLibp2pLimits } from '../../src/network/libp2p/options.ts';
import { protocolNames, type ProtocolNames } from '../../src/network/names.ts';
import { defaultNetworkLimits } from '../../src/network/options.ts';
import type { Underlay } from '../../src/network/underlay.ts';
import * as sample from '../unit/messages/samples.ts';
import { type Bench, round } from './figure.ts';

const NETWORK = 'costs';
const names = protocolNames(NETWORK);
const CHANNEL_LIMITS = { maxFrameBytes: 2 ** 22, maxChannels: 64, maxChannelsPerPeer: 64 };
const ENDLESS = { burst: 1e9, perSecond: 1e9 };
const SETTLE_MS = 200;
const WARM_UP = 100;

type Identity = ReturnType<typeof identityOf>;

function createUnderlay({ privateKeyRaw }: Identity, bootstrap: readonly string[]): Underlay {
  return createLibp2pUnderlay(
    {
      network: NETWORK,
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announce: [],
      bootstrap: [...bootstrap],
      mdns: false,
      kadDht: 'off',
      peerExchange: true,
      libp2pLogs: false,
      limits: defaultLibp2pLimits,
    },
    { privateKeyRaw, clock: systemClock, logger: silentLogger },
  );
}

/** A node that lets everybody do what it likes, and whose desks answer at once. */
function createNode(identity: Identity, underlay: Underlay): Network {
  const notary = createNotary(identity, NETWORK, systemClock);
  const allowances = {
    ...defaultAllowanceLimits,
    perStranger: ENDLESS,
    perPrefix: ENDLESS,
    strangersInTotal: ENDLESS,
    faults: ENDLESS,
  };
  const network = createNetwork(
    { network: NETWORK, ownJobs: false, limits: { ...defaultNetworkLimits, allowances } },
    {
      underlay,
      notary,
      verifier: createVerifier(NETWORK, systemClock),
      clock: systemClock,
      logger: silentLogger,
    },
  );
  network.attach({
    requester: {
      mayRead: async () => false,
      servingList: async (_provider, { value }) => ({
        number: value.number,
        desired: value.items.map(({ executionId, attempt }) => ({ executionId, attempt, desired: 'run' })),
      }),
    },
    content: { serve: async () => undefined, isPublic: async () => false },
  });
  return network;
}

/** What comes first on a channel of each protocol. */
function firstFrames(
  notary: Notary,
): readonly (readonly [what: string, protocol: keyof ProtocolNames, frame: (index: number) => Uint8Array])[] {
  const signed = (kind: Frame['kind'], evidence: Evidence<unknown>): Uint8Array =>
    encodeFrame({ kind, body: envelopeOf(evidence) });
  const [item] = sample.servingList(1).items;
  const listOf = (length: number): unknown => ({
    number: 1,
    items: Array.from({ length }, (_, index) => ({ ...item, executionId: `x${index}.v1.p0r0.a1` })),
  });
  const question = { cid: sample.SOME_CID, contractId: sample.SOME_CID };
  return [
    ['nothing that is right', 'contract', () => Uint8Array.of(0xff)],
    ['2 MiB of junk', 'negotiation', () => new Uint8Array(2 ** 21 - 16)],
    [
      'an unknown bid',
      'negotiation',
      (index) => signed('bid', notary.sign('bid', sample.bid({ requestId: `r${index}` }))),
    ],
    ['a list of 1 item', 'serving', () => signed('serving-list', notary.sign('serving-list', listOf(1)))],
    [
      'a list of 4 096 items',
      'serving',
      () => signed('serving-list', notary.sign('serving-list', listOf(4096))),
    ],
    ['a question for content', 'content', () => encodeFrame({ kind: 'content-request', body: question })],
  ];
}

/** Opens a channel, says `frame`, and reads to the end. */
async function exchange(asker: Underlay, peer: string, protocol: string, frame: Uint8Array): Promise<void> {
  const channel = await asker.open(peer, protocol, CHANNEL_LIMITS, { timeoutMs: 5000 });
  try {
    await channel.send(frame);
    await channel.close();
    while ((await channel.receive()) !== undefined);
  } catch {
    // What was wrong is dropped.
  }
}

export const costs: Bench = {
  name: 'costs',
  about: 'what each protocol makes a node work for one frame, by its own measure, over TCP',
  async run({ iterations = 500, report }) {
    const identity = identityOf(randomBytes(32));
    const stranger = identityOf(randomBytes(32));
    const underlay = createUnderlay(identity, []);
    const network = createNode(identity, underlay);
    let workedMs = 0;
    underlay.listen({
      peerConnected: () => {},
      peerDisconnected: () => {},
      subscribersChanged: () => {},
      worked: (_peer, workMs) => {
        workedMs += workMs;
      },
    });
    await network.start();
    const asker = createUnderlay(stranger, underlay.multiaddrs().slice(0, 1));
    await asker.start();
    while (!asker.isConnected(underlay.self)) await wait(10);
    for (const [what, protocol, frameOf] of firstFrames(createNotary(stranger, NETWORK, systemClock))) {
      const times = Math.min(iterations, Math.ceil((iterations * 20_000) / frameOf(0).length));
      const run = async (count: number): Promise<void> => {
        for (let index = 0; index < count; index += 1)
          await exchange(asker, underlay.self, names[protocol], frameOf(index));
        await wait(SETTLE_MS);
      };
      await run(Math.min(times, WARM_UP));
      workedMs = 0;
      await run(times);
      report({
        bench: 'costs',
        metric: 'work',
        value: round(workedMs / times, 3),
        unit: 'ms',
        protocol,
        what,
      });
    }
    await network.stop();
    await asker.stop();
  },
};
