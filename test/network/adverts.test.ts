import { afterEach, describe, expect, it } from 'vitest';
import { advertContent } from '../../src/domain/market/advert.ts';
import { identityOf } from '../../src/identity/key-pair.ts';
import { createNotary, createVerifier } from '../../src/identity/notary.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { createNetwork } from '../../src/network/index.ts';
import { createRegistry, type Registry } from '../../src/registry/index.ts';
import { defaultRegistryLimits } from '../../src/registry/options.ts';
import { resources, traits } from '../unit/domain/market-values.ts';
import { ScriptedStore } from '../unit/registry/registry-scene.ts';
import { createNode, until } from './libp2p-nodes.ts';

const NETWORK = 'adverts';

interface TableNode {
  readonly peer: string;
  readonly registry: Registry;
  readonly addresses: readonly string[];
  stop(): Promise<void>;
}

async function start(bootstrap: readonly string[]): Promise<TableNode> {
  const identity = identityOf(systemRandom.bytes(32));
  const underlay = createNode({ privateKeyRaw: identity.privateKeyRaw, bootstrap });
  const notary = createNotary(identity, NETWORK, systemClock);
  const network = createNetwork(
    { network: NETWORK, ownJobs: false },
    {
      underlay,
      notary,
      verifier: createVerifier(NETWORK, systemClock),
      clock: systemClock,
      logger: silentLogger,
    },
  );
  const registry = createRegistry(
    { ownJobs: true, preferredPeers: [], limits: defaultRegistryLimits },
    {
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      self: identity.peerId,
      store: new ScriptedStore(),
      publisher: network.adverts,
      notary,
      describe: () =>
        advertContent({
          traits,
          pools: { onboarded: resources(), free: resources() },
          price: { amount: '0.05', currency: 'USD', per: 'hour' },
          draining: false,
        }),
    },
  );
  network.attach({
    requester: {
      servingList: async (_provider, list) => ({ number: list.value.number, desired: [] }),
      mayRead: async () => false,
    },
    content: { serve: async () => undefined, isPublic: async () => false },
    registry: registry.handler,
  });
  await network.start();
  await registry.start();
  return {
    peer: identity.peerId,
    registry,
    addresses: underlay.multiaddrs().slice(0, 1),
    stop: async () => {
      await registry.stop();
      await network.stop();
    },
  };
}

describe('adverts over libp2p', () => {
  const nodes: TableNode[] = [];

  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.stop()));
  });

  it('make three nodes known to each other, until one leaves', async () => {
    nodes.push(await start([]));
    const bootstrap = nodes.flatMap(({ addresses }) => addresses);
    nodes.push(await start(bootstrap), await start(bootstrap));
    await until(() => nodes.every(({ registry }) => registry.peers().length === 2));
    const gone = nodes.pop();
    await gone?.stop();
    await until(() => nodes.every(({ registry }) => registry.peers().length === 1));
    const left = nodes.flatMap(({ registry }) => registry.peers().map(({ peerId }) => peerId));
    expect(left).not.toContain(gone?.peer);
  });
});
