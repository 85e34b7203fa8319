import { refusalSentence } from '../../src/words/refusal-words.ts';
import type { ContentStore } from '../../src/content/index.ts';
import { type Advert, type AdvertContent, advertContent } from '../../src/domain/market/advert.ts';
import type { Evidence, Notary } from '../../src/domain/market/evidence.ts';
import type { Resources } from '../../src/domain/units/resources.ts';
import { createNotary, identityOf } from '../../src/identity/index.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { envelopeOf } from '../../src/messages/envelope.ts';
import { encodeFrame } from '../../src/messages/frame.ts';
import type { Verifier } from '../../src/messages/message.ts';
import { createNetwork, type Network } from '../../src/network/index.ts';
import { defaultNetworkLimits } from '../../src/network/options.ts';
import type { Channel, Underlay } from '../../src/network/underlay.ts';
import { createProvider, type Provider } from '../../src/provider/index.ts';
import { defaultProviderLimits } from '../../src/provider/options.ts';
import type { ProviderStore } from '../../src/provider/ports.ts';
import { createRegistry } from '../../src/registry/index.ts';
import { defaultRegistryLimits } from '../../src/registry/options.ts';
import { createMemoryContent, MemoryBlocks } from '../simulation/memory-content.ts';
import { createMemoryFolders, createScriptedDrivers } from '../simulation/scripted-drivers.ts';
import type { World } from '../simulation/world.ts';
import { plainCalendar } from '../unit/fakes/plain-calendar.ts';

export const NETWORK = 'simulated';

/** Small, so that ten thousand of them fit into one process: none of these bounds is reached in the benchmark. */
const REMEMBERED = 64;
const TABLE = 8;
const SMALL_TABLE = {
  ...defaultRegistryLimits,
  maxPeers: TABLE,
  sampledPeers: TABLE,
  rememberedSigners: REMEMBERED,
  seenProviders: REMEMBERED,
};

/** A provider of the benchmark: network, provider and registry as in a node, on a disk and in a sandbox of memory. */
export interface LightProvider {
  readonly peer: string;
  readonly network: Network;
  readonly provider: Provider;
  /** What this provider has, signed, as its registry would gossip it at its interval. */
  advert(validForMs: number): Uint8Array;
  advertise(validForMs: number): void;
  stop(): Promise<void>;
}

/** What all the providers received, gossip seen for the first time and frames of channels. */
export class Received {
  gossip = 0;
  frames = 0;
}

/** Verdicts on gossip that all nodes have in common: each signature is checked once, and not by each of them. */
export function sharingVerdicts(verifier: Verifier): Verifier {
  const known = new Map<string, unknown>();
  const open: Verifier['open'] = (message, envelope, signer) => {
    const shared =
      message.type === 'bid-request' || message.type === 'search-closed' || message.type === 'advert';
    const signature =
      typeof envelope === 'object' && envelope !== null && 'signature' in envelope
        ? envelope.signature
        : undefined;
    if (!shared || signer !== undefined || !(signature instanceof Uint8Array))
      return verifier.open(message, envelope, signer);
    const key = Buffer.from(signature).toString('base64');
    const before = known.get(key);
    if (before !== undefined) return before as ReturnType<typeof verifier.open<never>>;
    const read = verifier.open(message, envelope);
    if (known.size > 256) known.clear();
    known.set(key, read);
    return read;
  };
  return { open, isCountersignature: (...asked) => verifier.isCountersignature(...asked) };
}

export async function startLightProvider(
  world: World,
  name: string,
  machine: Resources,
  shared: { readonly verifier: Verifier; readonly received: Received; readonly tellsOfItself: boolean },
): Promise<LightProvider> {
  const random = world.random.fork(`provider/${name}`);
  const identity = identityOf(random.bytes(32));
  const simulated = world.network.node(identity.peerId);
  const { clock } = simulated;
  const notary = createNotary(identity, NETWORK, clock);
  const network = createNetwork(
    {
      network: NETWORK,
      ownJobs: false,
      limits: {
        allowances: {
          ...defaultNetworkLimits.allowances,
          rememberedPeers: REMEMBERED,
          rememberedPrefixes: REMEMBERED,
        },
      },
    },
    {
      underlay: counted(simulated.underlay, shared.received),
      notary,
      verifier: shared.verifier,
      clock,
      logger: silentLogger,
    },
  );
  const content = createMemoryContent(new MemoryBlocks(), network.blockTransport);
  const provider = createLightProvider(world, notary, clock, network, content, machine);
  const described = (): AdvertContent | undefined => {
    const description = provider.describe();
    return description === undefined ? undefined : advertContent(description);
  };
  const registry = createRegistry(
    {
      ownJobs: false,
      preferredPeers: [],
      limits: shared.tellsOfItself ? defaultRegistryLimits : SMALL_TABLE,
    },
    {
      clock,
      random,
      logger: silentLogger,
      self: identity.peerId,
      store: { load: async () => [], write: async () => {}, keepTime: async () => {} },
      publisher: network.adverts,
      notary,
      ...(shared.tellsOfItself ? { describe: described } : {}),
    },
  );
  network.attach({
    requester: {
      servingList: async (_provider, list) => ({ number: list.value.number, desired: [] }),
      mayRead: async () => false,
    },
    provider: provider.handler,
    registry: registry.handler,
    content,
  });
  await provider.start();
  await network.start();
  if (shared.tellsOfItself) await registry.start();
  const signed = (validForMs: number): Evidence<Advert> => {
    const content = described();
    if (content === undefined) throw new Error('the provider does not run');
    const providerRecord = network.adverts.peerRecord();
    return notary.sign('advert', { ...content, validForMs, sequence: clock.nowMs(), providerRecord });
  };
  return {
    peer: identity.peerId,
    network,
    provider,
    advert: (validForMs) => encodeFrame({ kind: 'advert', body: envelopeOf(signed(validForMs)) }),
    advertise: (validForMs) => network.adverts.publish(signed(validForMs)),
    stop: async () => {
      await registry.stop();
      await network.stop();
      await provider.stop();
    },
  };
}

function createLightProvider(
  world: World,
  notary: Notary,
  clock: Clock,
  network: Network,
  content: ContentStore,
  machine: Resources,
): Provider {
  const { admission } = defaultProviderLimits;
  return createProvider(
    {
      ownJobs: false,
      price: { amount: '0.02', currency: 'USD', per: 'hour' },
      lockOnBid: false,
      establishedPercent: 20,
      allow: [],
      deny: [],
      limits: {
        ...defaultProviderLimits,
        admission: { ...admission, rememberedRequesters: REMEMBERED, rememberedEstablished: REMEMBERED },
      },
    },
    {
      clock,
      calendar: plainCalendar,
      random: world.random.fork(notary.self),
      logger: silentLogger,
      notary,
      refusalSentence,
      store: memoryStore(),
      strikes: { load: async () => [], write: async () => {} },
      link: network.requesterLink,
      content,
      disk: { freeBytes: async () => undefined },
      folders: createMemoryFolders(),
      drivers: createScriptedDrivers(clock, world.record, () => ({ durationMs: 500 })),
      check: { check: async () => ({ ok: true }) },
      traits: {
        peerId: notary.self,
        nodeVersion: '0.1.0',
        cpu: { cores: machine.cpuMillis / 1000, arch: 'x64', model: 'simulated', vendor: 'none' },
        engines: { wasm: '1.0.0' },
        runtimes: {},
        labels: {},
        location: {},
      },
      machine,
      onboarded: machine,
    },
  );
}

function counted(underlay: Underlay, received: Received): Underlay {
  const count = (channel: Channel): Channel => ({
    peer: channel.peer,
    send: (frame) => channel.send(frame),
    receive: async () => {
      const frame = await channel.receive();
      if (frame !== undefined) received.frames += 1;
      return frame;
    },
    close: () => channel.close(),
    abort: () => channel.abort(),
    ended: channel.ended,
  });
  return {
    self: underlay.self,
    maxGossipBytes: underlay.maxGossipBytes,
    start: () => underlay.start(),
    stop: () => underlay.stop(),
    subscribe: (topic, validate) =>
      underlay.subscribe(topic, (from, message) => {
        received.gossip += 1;
        return validate(from, message);
      }),
    publish: (topic, message) => underlay.publish(topic, message),
    subscribers: (topic) => underlay.subscribers(topic),
    handle: (protocol, limits, handler) =>
      underlay.handle(protocol, limits, (channel) => handler(count(channel))),
    open: async (...asked) => count(await underlay.open(...asked)),
    meet: (peer, peerRecord) => underlay.meet(peer, peerRecord),
    isConnected: (peer) => underlay.isConnected(peer),
    connectedPeers: () => underlay.connectedPeers(),
    peerRecord: () => underlay.peerRecord(),
    connectionCounts: () => underlay.connectionCounts(),
    foreignPeers: () => underlay.foreignPeers(),
    multiaddrs: () => underlay.multiaddrs(),
    listen: (listener) => underlay.listen(listener),
  };
}

/** A disk that never fails; nobody starts a second time, so only what can be asked for is kept. */
function memoryStore(): ProviderStore {
  const contracts = new Map<string, NonNullable<Awaited<ReturnType<ProviderStore['contract']>>>>();
  const nevers = new Map<string, NonNullable<Awaited<ReturnType<ProviderStore['never']>>>>();
  const answers = new Map<string, NonNullable<Awaited<ReturnType<ProviderStore['answer']>>>>();
  return {
    commit: async (commit) => {
      for (const contract of commit.contracts ?? []) contracts.set(contract.contractId, contract);
      for (const never of commit.nevers ?? []) nevers.set(never.value.contractId, never);
      for (const answer of commit.answers ?? []) answers.set(answer.requestId, answer);
    },
    load: async () => ({ leases: [], executions: [], highestLockVersion: 0 }),
    contract: async (contractId) => contracts.get(contractId),
    never: async (contractId) => nevers.get(contractId),
    answer: async (requestId) => answers.get(requestId),
  };
}
