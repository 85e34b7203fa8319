import { advertContent } from '../../../src/domain/market/advert.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import type { NetworkHandlers } from '../../../src/network/index.ts';
import { createRegistry, type Registry } from '../../../src/registry/index.ts';
import { defaultRegistryLimits, type RegistryLimits } from '../../../src/registry/options.ts';
import type { AdvertHandler } from '../../../src/registry/ports.ts';
import { SeededRandom } from '../../simulation/seeded-random.ts';
import type { SimulatedNetworkOptions } from '../../simulation/simulated-network.ts';
import { resources, traits } from '../domain/market-values.ts';
import { MarketWorld, scriptedProvider, type WorldNode } from '../network/market-world.ts';
import { ScriptedStore } from './registry-scene.ts';

export interface TableNode extends WorldNode {
  readonly registry: Registry;
  free: ReturnType<typeof resources>;
  stop(): Promise<void>;
}

/** Nodes whose registry hears and speaks over the simulated network. */
export class TableWorld extends MarketWorld {
  readonly nodes: TableNode[] = [];

  readonly #tableLimits: Partial<RegistryLimits>;

  constructor(options: Partial<SimulatedNetworkOptions> = {}, limits: Partial<RegistryLimits> = {}) {
    super({ latencyMs: [5, 50], ...options });
    this.#tableLimits = limits;
  }

  async add(name: string, provides = true): Promise<TableNode> {
    // The desk is attached before the registry can be made: it needs the network's publisher.
    const late: { registry?: Registry } = {};
    const desk: AdvertHandler = {
      take: (advert) => late.registry?.handler.take(advert) ?? 'ignore',
      audienceChanged: () => late.registry?.handler.audienceChanged(),
      peerDisconnected: (peer) => late.registry?.handler.peerDisconnected(peer),
    };
    const desks: Partial<NetworkHandlers> = {
      registry: desk,
      ...(provides ? { provider: scriptedProvider(this.notary(name)) } : {}),
    };
    const base = await this.node(name, desks);
    const describe = () =>
      advertContent({
        traits: { ...traits, peerId: base.peer },
        pools: { onboarded: resources(), free: node.free },
        price: { amount: '0.05', currency: 'USD', per: 'hour' },
        draining: false,
      });
    const registry = createRegistry(
      { ownJobs: true, preferredPeers: [], limits: { ...defaultRegistryLimits, ...this.#tableLimits } },
      {
        clock: base.simulated.clock,
        random: new SeededRandom(name),
        logger: silentLogger,
        self: base.peer,
        store: new ScriptedStore(),
        publisher: base.network.adverts,
        notary: base.notary,
        ...(provides ? { describe } : {}),
      },
    );
    late.registry = registry;
    const node: TableNode = {
      ...base,
      registry,
      free: resources(),
      stop: async () => {
        await registry.stop();
        await base.network.stop();
      },
    };
    this.nodes.push(node);
    await registry.start();
    return node;
  }
}

export const known = ({ registry }: TableNode): readonly string[] =>
  registry.peers().map(({ peerId }) => peerId);
