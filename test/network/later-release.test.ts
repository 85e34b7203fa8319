import { afterEach, describe, expect, it } from 'vitest';
import type { Notary } from '../../src/domain/market/evidence.ts';
import type { ServingList } from '../../src/domain/market/serving.ts';
import { identityOf } from '../../src/identity/key-pair.ts';
import { createNotary, createVerifier } from '../../src/identity/notary.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { verifySignedContract } from '../unit/messages/contract-check.ts';
import { createNetwork, type Network } from '../../src/network/index.ts';
import type { GossipVerdict, Underlay } from '../../src/network/underlay.ts';
import { laterNotary } from '../simulation/later-notary.ts';
import * as sample from '../unit/messages/samples.ts';
import { RecordingListener, scriptedProvider } from '../unit/network/market-world.ts';
import { createNode, until } from './libp2p-nodes.ts';

const NETWORK = 'later';
const WITHIN_MS = 10_000;

interface MarketNode {
  readonly notary: Notary;
  readonly underlay: Underlay;
  readonly network: Network;
  readonly lists: ServingList[];
}

const nodes: MarketNode[] = [];
/** What gossip was told of each message: a score falls with what is rejected, and with nothing else. */
const verdicts: GossipVerdict[] = [];

/** The underlay, and on the way each verdict on what it brings. */
function overheard(underlay: Underlay): Underlay {
  return new Proxy(underlay, {
    get(target, name) {
      if (name === 'subscribe') {
        return (topic: string, validate: (from: string, message: Uint8Array) => GossipVerdict) =>
          target.subscribe(topic, (from, message) => {
            const verdict = validate(from, message);
            verdicts.push(verdict);
            return verdict;
          });
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function start(
  bootstrap: readonly MarketNode[],
  around: (notary: Notary) => Notary,
): Promise<MarketNode> {
  const identity = identityOf(systemRandom.bytes(32));
  const underlay = overheard(
    createNode({
      network: NETWORK,
      privateKeyRaw: identity.privateKeyRaw,
      bootstrap: bootstrap.flatMap((node) => node.underlay.multiaddrs().slice(0, 1)),
    }),
  );
  const notary = around(createNotary(identity, NETWORK, systemClock));
  const verifier = createVerifier(NETWORK, systemClock);
  const network = createNetwork(
    { network: NETWORK, ownJobs: false },
    { underlay, notary, verifier, clock: systemClock, logger: silentLogger },
  );
  const lists: ServingList[] = [];
  network.attach({
    requester: {
      servingList: async (_provider, { value }) => {
        lists.push(value);
        return { number: value.number, desired: [] };
      },
      mayRead: async () => false,
    },
    provider: scriptedProvider(notary),
    content: { serve: async () => undefined, isPublic: async () => false },
  });
  await network.start();
  const node = { notary, underlay, network, lists };
  nodes.push(node);
  return node;
}

/** From the request to a contract that both have signed, and a report on it. */
async function deal(requester: MarketNode, provider: MarketNode): Promise<void> {
  const { market } = requester.network;
  const requestId = `of ${requester.notary.self}`;
  const requesterRecord = requester.underlay.peerRecord();
  const request = sample.bidRequest({ requestId, requesterRecord });
  const listener = new RecordingListener();
  market.openRequest(requester.notary.sign('bid-request', request), listener);
  const ofProvider = (): RecordingListener['bids'][number] | undefined =>
    listener.bids.find(([bid]) => bid.signer === provider.notary.self);
  await until(() => ofProvider() !== undefined);
  const negotiation = ofProvider()?.[1];
  const locked = await negotiation?.requestLock(sample.jobRequest({ requestId }), WITHIN_MS);
  expect(locked).toMatchObject({ type: 'bid', value: { lock: { version: 7 } } });
  const contract = await negotiation?.propose(
    sample.proposal(requester.notary, provider.notary.self),
    WITHIN_MS,
  );
  if (contract === undefined || !('contractId' in contract)) throw new Error('no contract');
  expect(verifySignedContract(createVerifier(NETWORK, systemClock), contract)).toBe(true);
  negotiation?.close();
  const [item] = sample.servingList(1).items;
  const list = { number: 1, items: item === undefined ? [] : [{ ...item, exitReason: 'trap' as const }] };
  const { requesterLink } = provider.network;
  const report = provider.notary.sign('serving-list', list);
  expect(await requesterLink.report(requester.notary.self, requesterRecord, report)).toMatchObject({
    number: 1,
  });
}

describe('a node of a later release, over libp2p', () => {
  afterEach(async () => {
    verdicts.length = 0;
    await Promise.all(nodes.splice(0).map(({ network }) => network.stop()));
  });

  it('closes contracts both ways, beside another one that hears all of it, and nobody is blamed', async () => {
    const beside = await start([], (notary) => notary);
    const later = await start([beside], laterNotary);
    const here = await start([beside, later], (notary) => notary);
    await until(() => nodes.every(({ network }) => network.market.audience().length === 2));
    await deal(here, later);
    await deal(later, here);
    expect(here.lists[0]?.items[0]).toMatchObject({ exitReason: 'internal' });
    expect(verdicts).toContain('accept');
    expect(verdicts).not.toContain('reject');
    const counted = nodes.flatMap(({ network }) => Object.keys(network.counters()));
    expect(
      counted.filter((name) => /^fault\.|^gossip\.[A-Z]|MALFORMED|UNKNOWN|BAD_|WRONG_/.test(name)),
    ).toEqual([]);
  });
});
