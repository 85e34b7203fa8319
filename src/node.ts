import { join } from 'node:path';
import packageFile from '../package.json' with { type: 'json' };
import { type Api, createApi } from './api/index.ts';
import type { NodeOptions } from './config/node-options.ts';
import { createContentStore } from './content/content-store.ts';
import type { ContentStore } from './content/index.ts';
import type { BlockTransport } from './content/ports.ts';
import type { NodeTraits } from './domain/capability.ts';
import { createNotary, createVerifier, type Identity, loadIdentity } from './identity/index.ts';
import { type Clock, systemClock } from './lib/clock.ts';
import type { CodedError } from './lib/coded-error.ts';
import { createLogger, type Logger } from './lib/logger.ts';
import { type Random, systemRandom } from './lib/random.ts';
import { createNetwork, type Network } from './network/index.ts';
import { createLibp2pUnderlay, type Libp2pNeeds } from './network/libp2p/libp2p-underlay.ts';
import type { Underlay } from './network/underlay.ts';
import { createNodeView } from './node-view.ts';
import { createOrchestrator, type Orchestrator } from './orchestrator/index.ts';
import { createAttemptFolders } from './provider/executors/attempt-folders.ts';
import type { EngineOffer, Executor } from './provider/executors/executor.ts';
import { createToolRunner } from './provider/executors/tool-runner.ts';
import { createWasiExecutor } from './provider/executors/wasi-executor.ts';
import { createProvider, type Provider } from './provider/index.ts';
import type { AttemptFolders } from './provider/ports.ts';
import { onboard } from './provider/resources/onboarding.ts';
import { createHardwareProbe, type MachineInventory } from './provider/resources/probe.ts';
import type { Database } from './store/database.ts';
import { openStore, type Store } from './store/index.ts';

/** What the process knows of the machine, handed in because only the entry may ask. */
export interface Host {
  /** The Node.js that runs the executors' children. */
  readonly nodePath: string;
  /** PATH: where optional tools are looked for. */
  readonly searchPath: string;
  /** 0 when no memory limit is set on this process. */
  readonly constrainedMemoryBytes: number;
}

/** Every outside-facing part can be replaced: tests and simulations use the same door. */
export interface NodeOverrides {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  readonly identity?: Identity;
  readonly database?: Database;
  /** The simulated network's end of this node, in place of libp2p. */
  readonly underlay?: (identity: Identity) => Underlay;
  /** In place of TCP under libp2p. */
  readonly transports?: Libp2pNeeds['transports'];
  readonly content?: (transport: BlockTransport) => ContentStore;
  readonly executor?: Executor;
  readonly folders?: AttemptFolders;
  readonly machine?: MachineInventory;
  /** False: no HTTP interface. */
  readonly api?: boolean;
  readonly useBubblewrap?: 'auto' | 'never';
  /** Called once when the disk refuses: the node cannot go on. */
  readonly onFatal?: (error: CodedError) => void;
}

export interface BidmeshNode {
  readonly peerId: string;
  /** Empty without an HTTP interface. */
  readonly apiUrl: string;
  multiaddrs(): readonly string[];
  readonly orchestrator: Orchestrator;
  readonly content: ContentStore;
  /** Undefined on a node that only posts jobs. */
  readonly provider: Provider | undefined;
  readonly store: Store;
  counters(): Record<string, number>;
  stop(): Promise<void>;
}

const PROBE_TIMEOUT_MS = 3000;

interface Base {
  readonly options: NodeOptions;
  readonly host: Host;
  readonly overrides: NodeOverrides;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly identity: Identity;
  readonly store: Store;
}

/**
 * THE composition root. Builds a node and starts it, each part before those that need it; when one fails, what runs
 * already is stopped again, in reverse.
 */
export async function startNode(
  options: NodeOptions,
  host: Host,
  overrides: NodeOverrides = {},
): Promise<BidmeshNode> {
  const clock = overrides.clock ?? systemClock;
  const random = overrides.random ?? systemRandom;
  const logger = overrides.logger ?? createLogger(options.logLevel);
  const undo: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
  };
  try {
    const identity = overrides.identity ?? (await loadIdentity(options.dataDir, random));
    const store = await openStore(options.store, {
      clock,
      logger,
      ...(overrides.database === undefined ? {} : { database: overrides.database }),
      onFailure: (error) => overrides.onFatal?.(error),
    });
    undo.push(() => store.stop());
    return await startParts({ options, host, overrides, clock, random, logger, identity, store }, undo, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(
  base: Base,
  undo: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<BidmeshNode> {
  const { options, overrides, clock, random, logger, identity, store } = base;
  const underlay = createUnderlay(base);
  const notary = createNotary(identity, options.network, clock);
  const network = createNetwork(
    { network: options.network, ownJobs: options.provider?.ownJobs ?? false },
    { underlay, notary, verifier: createVerifier(options.network, clock), clock, logger },
  );
  const content =
    overrides.content?.(network.blockTransport) ??
    createContentStore(options.content, {
      transport: network.blockTransport,
      clock,
      logger: logger.child('content'),
    });
  const provider = await buildProvider(base, network, content);
  const orchestrator = createOrchestrator(options.orchestrator, {
    clock,
    random,
    logger: logger.child('orchestrator'),
    notary,
    store: store.jobs,
    market: network.market,
    content,
    files: content,
    live: { read: (...request) => network.logs(...request) },
    check: openMembership,
  });
  network.attach({
    requester: orchestrator.desk,
    ...(provider === undefined ? {} : { provider: provider.desk }),
    content,
  });
  for (const part of [content, provider, network, orchestrator]) {
    if (part === undefined) continue;
    await part.start();
    undo.push(() => part.stop());
  }
  const api = await startApi(base, { underlay, network, content, provider, orchestrator }, undo);
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

/** On an open network every identity may take part: the signature that named it is the whole check. */
const openMembership = { check: () => Promise.resolve({ ok: true as const }) };

function createUnderlay({ options, overrides, clock, logger, identity }: Base): Underlay {
  if (overrides.underlay !== undefined) return overrides.underlay(identity);
  const { privateKeyRaw } = identity;
  return createLibp2pUnderlay(options.libp2p, {
    privateKeyRaw,
    clock,
    logger: logger.child('libp2p'),
    ...(overrides.transports === undefined ? {} : { transports: overrides.transports }),
  });
}

async function buildProvider(
  base: Base,
  network: Network,
  content: ContentStore,
): Promise<Provider | undefined> {
  const { options, host, overrides, clock, random, logger, identity, store } = base;
  if (options.provider === undefined) return undefined;
  const { onboard: offered, labels, location, engines, ...providerOptions } = options.provider;
  const executor =
    overrides.executor ??
    createWasiExecutor({ ...host, clock, random, useBubblewrap: overrides.useBubblewrap ?? 'auto' });
  const [machine, offer] = await Promise.all([overrides.machine ?? probeMachine(base), executor.probe()]);
  for (const note of machine.notes) logger.info('hardware', { note });
  const traits: NodeTraits = {
    peerId: identity.peerId,
    nodeVersion: packageFile.version,
    cpu: machine.cpu,
    engines: offeredEngines(offer, engines),
    runtimes: offer.runtimes,
    labels,
    location,
  };
  return createProvider(providerOptions, {
    clock,
    random,
    logger: logger.child('provider'),
    notary: createNotary(identity, options.network, clock),
    store: store.provider,
    link: network.requesterLink,
    content,
    folders: overrides.folders ?? createAttemptFolders(join(options.dataDir, 'attempts')),
    executor,
    check: openMembership,
    traits,
    machine: machine.resources,
    onboarded: onboard(machine.resources, offered),
  });
}

/** A job asks for an engine by name, and an interpreter that an engine runs counts as one. */
function offeredEngines(
  offer: EngineOffer,
  wanted: readonly string[] | undefined,
): Readonly<Record<string, string>> {
  const all = { ...offer.engines, ...offer.runtimes };
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => wanted === undefined || wanted.includes(name)),
  );
}

function probeMachine({ options, host, clock }: Base): Promise<MachineInventory> {
  return createHardwareProbe({
    clock,
    dataDir: options.dataDir,
    searchPath: host.searchPath,
    runTool: createToolRunner(clock),
    timeoutMs: PROBE_TIMEOUT_MS,
    constrainedMemoryBytes: host.constrainedMemoryBytes,
  }).probe();
}

async function startApi(
  base: Base,
  parts: {
    readonly underlay: Underlay;
    readonly network: Network;
    readonly content: ContentStore;
    readonly provider: Provider | undefined;
    readonly orchestrator: Orchestrator;
  },
  undo: (() => Promise<void>)[],
): Promise<Api | undefined> {
  const { options, overrides, clock, logger, identity } = base;
  if (overrides.api === false) return undefined;
  const { underlay, network, content, provider, orchestrator } = parts;
  const view = createNodeView({
    identity,
    network: options.network,
    version: packageFile.version,
    underlay,
    provider,
    clock,
    counters: () => network.counters(),
    bootstrapCount: options.libp2p.bootstrap.length,
    subscribers: () => network.market.audienceSize(),
  });
  const api = createApi(options.api, {
    orchestrator,
    content,
    node: view.node,
    metrics: view.metrics,
    clock,
    logger: logger.child('api'),
  });
  await api.start();
  undo.push(() => api.stop());
  return api;
}
