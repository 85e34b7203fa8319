import { describe, expect, it } from 'vitest';
import type { Evidence, EvidenceType, Notary } from '../../../../src/domain/market/evidence.ts';
import { encodeCanonical } from '../../../../src/lib/canonical.ts';
import { CodedError } from '../../../../src/lib/coded-error.ts';
import { envelopeOf } from '../../../../src/messages/envelope.ts';
import { encodeFrame, type Frame } from '../../../../src/messages/frame.ts';
import { MESSAGE_VERSIONS } from '../../../../src/messages/versions.ts';
import type { ProtocolNames } from '../../../../src/network/names.ts';
import type { Channel } from '../../../../src/network/underlay.ts';
import * as sample from '../../messages/samples.ts';
import { MarketWorld, names, NETWORK, openRaw, scriptedProvider, tapGossip } from '../market-world.ts';

const TIMES = 2000;

interface Victim {
  readonly world: MarketWorld;
  readonly peer: string;
  /** What its desks were asked: each costs a look at the disk, a signature or a record. */
  readonly asked: string[];
  readonly restrained: readonly string[];
  readonly counters: () => Record<string, number>;
}

/** A node that has nothing to do with anybody, on a network without latency. */
async function victim(): Promise<Victim> {
  const world = new MarketWorld({ latencyMs: [0, 0] });
  const asked: string[] = [];
  const { simulated, restrained } = tapGossip(world.simulation.node(world.notary('victim').self));
  const notary = world.notary('victim');
  const provider = scriptedProvider(notary, {
    contract: async (_asker, contractId) => {
      asked.push('contract');
      return { kind: 'never', never: notary.sign('contract-never', { contractId, reason: 'unknown' }) };
    },
    // oxlint-disable-next-line require-yield
    async *logs() {
      throw new CodedError('LOGS_DENIED', 'Not yours.');
    },
  });
  const requester = {
    mayReport: () => false,
    mayRead: async () => {
      asked.push('mayRead');
      return false;
    },
    servingList: async () => {
      asked.push('servingList');
      return { number: 1, desired: [] };
    },
  };
  const node = await world.node('victim', { provider, requester }, true, simulated);
  return { world, peer: node.peer, asked, restrained, counters: () => node.network.counters() };
}

type Say = (hostile: Notary, index: number) => Uint8Array;

const signed = (kind: Frame['kind'], evidence: Evidence<unknown>): Uint8Array =>
  encodeFrame({ kind, body: envelopeOf(evidence) });

const WRONG: readonly (readonly [what: string, protocol: keyof ProtocolNames, say: Say, code: string])[] = [
  ['requests that are no requests', 'request', () => Uint8Array.of(0xff), 'MALFORMED'],
  ['requests out of turn', 'request', () => encodeFrame({ kind: 'bid', body: {} }), 'OUT_OF_TURN'],
  [
    'requests of others',
    'request',
    (_hostile, index) =>
      signed(
        'bid-request',
        new MarketWorld().notary('other').sign('bid-request', sample.bidRequest({ requestId: `${index}` })),
      ),
    'WRONG_SIGNER',
  ],
  [
    'one request again and again',
    'request',
    (hostile) => signed('bid-request', hostile.sign('bid-request', sample.bidRequest())),
    'REPEATED',
  ],
  [
    'bids that nobody asked for',
    'negotiation',
    (hostile, index) => signed('bid', hostile.sign('bid', sample.bid({ requestId: `r${index}` }))),
    'UNKNOWN_REQUEST',
  ],
  [
    'declines of what nobody asked',
    'negotiation',
    (hostile, index) =>
      signed('decline', hostile.sign('decline', sample.decline({ requestId: `r${index}` }))),
    'UNKNOWN_REQUEST',
  ],
  [
    'bids that are none',
    'negotiation',
    () => encodeFrame({ kind: 'bid', body: { payload: 1 } }),
    'MALFORMED',
  ],
  [
    'made-up contract ids',
    'contract',
    () => encodeFrame({ kind: 'contract-query', body: { contractId: sample.SOME_CID } }),
    'UNKNOWN_CONTRACT',
  ],
  [
    'questions that are none',
    'contract',
    () => encodeFrame({ kind: 'contract-query', body: {} }),
    'OUT_OF_TURN',
  ],
  [
    'serving lists from nobody',
    'serving',
    (hostile) => signed('serving-list', hostile.sign('serving-list', sample.servingList(1))),
    'NO_CONTRACT',
  ],
  ['serving lists that are none', 'serving', () => Uint8Array.of(0xff), 'NO_CONTRACT'],
  [
    'questions for content of others',
    'content',
    () =>
      encodeFrame({ kind: 'content-request', body: { cid: sample.SOME_CID, contractId: sample.SOME_CID } }),
    'CONTENT_DENIED',
  ],
  [
    'questions for logs of others',
    'logs',
    () =>
      encodeFrame({
        kind: 'logs-request',
        body: { contractId: sample.SOME_CID, stream: 'stdout', offset: 0, follow: false },
      }),
    'LOGS_DENIED',
  ],
];

describe('a peer that goes on with what is wrong', () => {
  it.each(WRONG)('is restrained for %s', async (_what, protocol, say, code) => {
    const { world, peer, asked, restrained, counters } = await victim();
    const hostile = await world.raw('hostile');
    let said = 0;
    const sayOne = async (index: number): Promise<void> => {
      const channel: Channel = await openRaw(hostile, peer, names[protocol]);
      try {
        await channel.send(say(hostile.notary, index));
        said += 1;
        while ((await channel.receive()) !== undefined);
        await channel.close();
      } finally {
        channel.abort();
      }
    };
    const all = async (): Promise<void> => {
      for (let index = 0; index < TIMES && restrained.length === 0; index += 1) {
        await sayOne(index).catch(() => {});
      }
    };
    await world.settled(all(), 120_000);
    expect(counters()[`fault.${code}`]).toBeGreaterThan(0);
    expect(restrained[0]).toBe(hostile.peer);
    expect(said).toBeLessThan(500);
    expect(asked.filter((what) => what !== 'contract')).toEqual([]);
  });

  it('a second one beside it is served all the while', async () => {
    const { world, peer, counters } = await victim();
    const hostile = await world.raw('hostile');
    const honest = await world.raw('honest');
    for (let index = 0; index < 100; index += 1) {
      const channel = await world.settled(openRaw(hostile, peer, names.logs));
      await channel.send(Uint8Array.of(0xff)).catch(() => {});
    }
    const channel = await world.settled(openRaw(honest, peer, names.contract));
    await channel.send(encodeFrame({ kind: 'contract-query', body: { contractId: sample.SOME_CID } }));
    expect(await world.settled(channel.receive())).toBeDefined();
    expect(counters()['fault.MALFORMED']).toBeGreaterThan(0);
  });
});

describe('what this node does not know', () => {
  const later = (peer: Notary, type: EvidenceType, value: object): Uint8Array => {
    const header = { v: MESSAGE_VERSIONS[type] + 1, network: NETWORK, issuedAt: 0, value };
    const evidence = { ...peer.sign(type, value), payload: encodeCanonical(header) };
    return encodeFrame({ kind: type as Frame['kind'], body: envelopeOf(evidence) });
  };
  const logs = { contractId: sample.SOME_CID, stream: 'events', offset: 0, follow: false };
  const kind = (): Uint8Array => encodeCanonical({ kind: 'later-kind', body: { any: 'thing' } });

  it.each<readonly [what: string, protocol: keyof ProtocolNames, say: Say]>([
    ...(['request', 'negotiation', 'contract', 'serving', 'content', 'logs'] as const).map(
      (protocol) => ['a kind of frame', protocol, kind] as const,
    ),
    ['a later version', 'request', (peer) => later(peer, 'bid-request', {})],
    ['a later version', 'negotiation', (peer) => later(peer, 'bid', {})],
    ['a later version', 'serving', (peer) => later(peer, 'serving-list', {})],
    ['another stream', 'logs', () => encodeFrame({ kind: 'logs-request', body: logs })],
  ])('costs who sends it no fault: %s on %s', async (_what, protocol, say) => {
    const world = new MarketWorld({ latencyMs: [0, 0] });
    const node = await world.node('node', { provider: scriptedProvider(world.notary('node')) });
    const peer = await world.raw('later');
    const channel = await world.settled(openRaw(peer, node.peer, names[protocol]));
    await channel.send(say(peer.notary, 0));
    expect(await world.rejection(channel.receive())).toBe('CHANNEL_CLOSED');
    await channel.ended;
    expect(Object.keys(node.network.counters()).filter((name) => /UNKNOWN_/.test(name))).toHaveLength(1);
    expect(Object.keys(node.network.counters()).filter((name) => name.startsWith('fault.'))).toEqual([]);
  });
});

describe('a peer with which there is a contract', () => {
  it('is served where nobody else is', async () => {
    const world = new MarketWorld();
    const lists: number[] = [];
    const requester = await world.node('requester', {
      requester: {
        mayReport: (provider) => provider === world.notary('provider').self,
        strays: () => 3,
        servingList: async (_provider, list) => {
          lists.push(list.value.number);
          return { number: list.value.number, desired: [] };
        },
        mayRead: async () => false,
      },
    });
    const report = async (name: string): Promise<string | undefined> => {
      const provider = await world.node(name, { provider: scriptedProvider(world.notary(name)) });
      const list = provider.notary.sign('serving-list', sample.servingList(1));
      return await world.rejection(
        provider.network.requesterLink.report(requester.peer, new Uint8Array([1]), list),
      );
    };
    expect(await report('provider')).toBeUndefined();
    expect(await report('nobody')).toBe('REPORT_FAILED');
    expect(lists).toEqual([1]);
    expect(requester.network.counters()).toMatchObject({
      'fault.NO_CONTRACT': 1,
      'fault.UNKNOWN_EXECUTION': 1,
      'serving.NO_CONTRACT': 1,
    });
  });
});
