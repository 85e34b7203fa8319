import packageFile from '../../package.json' with { type: 'json' };
import { type Api, createApi } from '../api/index.ts';
import type { NodeOptions } from '../config/node-options.ts';
import { createContentStore } from '../content/content-store.ts';
import type { ContentStore } from '../content/index.ts';
import { type AdvertContent, advertContent } from '../domain/market/advert.ts';
import { claimStore, createNotary, createVerifier, loadIdentity } from '../identity/index.ts';
import { systemClock } from '../lib/clock.ts';
import { createLogger } from '../lib/logger.ts';
import type { Startable } from '../lib/startable.ts';
import { systemRandom } from '../lib/random.ts';
import { createNetwork, type Network } from '../network/index.ts';
import { createLibp2pUnderlay } from '../network/libp2p/libp2p-underlay.ts';
import type { Underlay } from '../network/underlay.ts';
import type { Host, NodeBase, NodeOverrides } from './base.ts';
import { Housekeeping } from './housekeeping.ts';
import { buildProvider, openMembership } from './provider.ts';
import { createMetrics } from './metrics.ts';
import { createNodeView } from './view.ts';
import { peerTableOf } from './peer-table.ts';
import type { RunningNode } from './running-node.ts';
import { createOrchestrator, type Orchestrator } from '../orchestrator/index.ts';
import type { Provider } from '../provider/index.ts';
import { createDiskGauge } from '../provider/resources/system.ts';
import { createRegistry, type Registry } from '../registry/index.ts';
import { openStore, type Store } from '../store/index.ts';

/** A node with its parts. */
export interface BidmeshNode extends RunningNode {
  readonly orchestrator: Orchestrator;
  readonly content: ContentStore;
  /** Undefined on a node that only posts jobs. */
  readonly provider: Provider | undefined;
  readonly store: Store;
  counters(): Record<string, number>;
}

/**
 * THE composition root. Builds a node and starts it, each part before those that need it; when one fails, what runs
 * already is stopped again.
 */
export async function startNode(
  options: NodeOptions,
  host: Host,
  overrides: NodeOverrides = {},
): Promise<BidmeshNode> {
  const random = overrides.random ?? systemRandom;
  const logger = overrides.logger ?? createLogger(options.logLevel);
  const undo: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
  };
  try {
    const identity = overrides.identity ?? (await loadIdentity(options.dataDir, random));
    const store = await openStore(options.store, {
      clock: overrides.clock ?? systemClock,
      logger,
      ...(overrides.database === undefined ? {} : { database: overrides.database }),
      onFailure: (error) => overrides.onFatal?.(error),
    });
    undo.push(() => store.stop());
    await claimStore(store.meta, identity.peerId, options.dataDir);
    const { clock } = store;
    const own = createNotary(identity, options.network, clock);
    const notary = overrides.notary?.(own) ?? own;
    const base = { options, host, overrides, clock, random, logger, identity, notary, store };
    return await startParts(base, undo, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(
  base: NodeBase,
  undo: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<BidmeshNode> {
  const { options, clock, random, logger, identity, notary, store } = base;
  const underlay = createUnderlay(base);
  const network = createNetwork(
    { network: options.network, ownJobs: options.provider?.ownJobs ?? false },
    { underlay, notary, verifier: createVerifier(options.network, clock), clock, logger },
  );
  const content = buildContent(base, network);
  const provider = await buildProvider(base, network, content, () => registry.roomFreed());
  const onRoom = (peer: string): void => orchestrator.roomFreed(peer);
  const registry: Registry = buildRegistry(base, network, provider, onRoom);
  const orchestrator: Orchestrator = createOrchestrator(options.orchestrator, {
    clock,
    random,
    logger: logger.child('orchestrator'),
    notary,
    store: store.jobs,
    strikes: store.strikes.againstProviders,
    notes: store.meta,
    market: network.market,
    peers: peerTableOf(registry),
    content,
    files: content,
    live: { read: (...request) => network.logs(...request) },
    check: openMembership,
  });
  network.attach({
    requester: orchestrator.handler,
    ...(provider === undefined ? {} : { provider: provider.handler }),
    registry: registry.handler,
    content,
  });
  const housekeeping = new Housekeeping(options.retention, {
    clock,
    logger: logger.child('housekeeping'),
    jobs: store.jobs,
    provider: store.provider,
    content,
  });
  const startOrder = [content, provider, network, registry, orchestrator, housekeeping];
  // In the order of need: no new work, then the last words to others, then what carries them.
  const stopOrder = [housekeeping, orchestrator, provider, registry, network, content];
  await startAll(startOrder, stopOrder, undo);
  const api = await startApi(base, { underlay, network, content, provider, orchestrator, registry }, undo);
  return {
    peerId: identity.peerId,
    apiUrl: api?.url ?? '',
    multiaddrs: () => underlay.multiaddrs(),
    orchestrator,
    content,
    provider,
    store,
    counters: () => network.counters(),
    stop,
  };
}

function buildContent(
  { options, overrides, store, clock, logger }: NodeBase,
  network: Network,
): ContentStore {
  const disk = overrides.disk ?? createDiskGauge(options.dataDir);
  const transport = network.blockTransport;
  return (
    overrides.content?.(transport) ??
    createContentStore(options.content, {
      records: store.content,
      files: store.blocks,
      transport,
      clock,
      logger: logger.child('content'),
      freeBytes: () => disk.freeBytes(),
    })
  );
}

/** When one does not start, those that did can be stopped all the same. */
async function startAll(
  startOrder: readonly (Startable | undefined)[],
  stopOrder: readonly (Startable | undefined)[],
  undo: (() => Promise<void>)[],
): Promise<void> {
  const running = new Set<Startable>();
  undo.push(async () => {
    for (const part of stopOrder) if (part !== undefined && running.delete(part)) await part.stop();
  });
  for (const part of startOrder) {
    if (part === undefined) continue;
    await part.start();
    running.add(part);
  }
}

function buildRegistry(
  { options, clock, random, logger, identity, notary, store }: NodeBase,
  network: Network,
  provider: Provider | undefined,
  onMoreRoom: (provider: string) => void,
): Registry {
  return createRegistry(
    { ownJobs: options.provider?.ownJobs ?? false, ...options.registry },
    {
      clock,
      random,
      logger: logger.child('registry'),
      self: identity.peerId,
      store: store.adverts,
      publisher: network.adverts,
      notary,
      onMoreRoom,
      ...(provider === undefined ? {} : { describe: () => describe(provider) }),
    },
  );
}

function describe(provider: Provider): AdvertContent | undefined {
  const description = provider.describe();
  return description === undefined ? undefined : advertContent(description);
}

function createUnderlay({ options, overrides, clock, logger, identity }: NodeBase): Underlay {
  if (overrides.underlay !== undefined) return overrides.underlay(identity);
  const { privateKeyRaw } = identity;
  return createLibp2pUnderlay(options.libp2p, {
    privateKeyRaw,
    clock,
    logger: logger.child('libp2p'),
    ...(overrides.transports === undefined ? {} : { transports: overrides.transports }),
  });
}

async function startApi(
  base: NodeBase,
  parts: {
    readonly underlay: Underlay;
    readonly network: Network;
    readonly content: ContentStore;
    readonly provider: Provider | undefined;
    readonly orchestrator: Orchestrator;
    readonly registry: Registry;
  },
  undo: (() => Promise<void>)[],
): Promise<Api | undefined> {
  const { options, overrides, clock, logger, identity, store } = base;
  if (overrides.api === false) return undefined;
  const { underlay, network, content, provider, orchestrator, registry } = parts;
  const node = createNodeView({
    identity,
    network: options.network,
    version: packageFile.version,
    underlay,
    provider,
    clock,
    registry,
    bootstrapCount: options.libp2p.bootstrap.length,
    heldBack: () => network.heldBack(),
    damage: () => base.store.damage(),
    subscribers: () => network.market.audience().length,
  });
  const metrics = createMetrics({
    peers: () => underlay.connectedPeers().length,
    heldBack: () => network.heldBack().length,
    connections: () => underlay.connectionCounts(),
    provider,
    census: () => store.census(),
    scheduling: () => orchestrator.scheduling(),
    content,
    counters: () => ({ ...network.counters(), ...registry.counters(), ...api.counters() }),
  });
  const api: Api = createApi(options.api, {
    orchestrator,
    content,
    node,
    metrics,
    clock,
    calendar: store.calendar,
    logger: logger.child('api'),
  });
  await api.start();
  undo.push(() => api.stop());
  return api;
}
