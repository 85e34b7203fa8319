import type { Advert, AdvertContent } from '../../../src/domain/market/advert.ts';
import { advertContent } from '../../../src/domain/market/advert.ts';
import type { Evidence, Notary } from '../../../src/domain/market/evidence.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { createRegistry, type Registry } from '../../../src/registry/index.ts';
import { defaultRegistryLimits, type RegistryLimits } from '../../../src/registry/options.ts';
import type { AdvertPublisher, AdvertStore, StoredAdvert } from '../../../src/registry/ports.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';
import { SeededRandom } from '../../simulation/seeded-random.ts';
import { resources, traits } from '../domain/market-values.ts';
import * as sample from '../messages/samples.ts';

export const SELF = 'self';

const DAY_MS = 24 * 3_600_000;
const NOTHING = new Uint8Array();

/** Evidence without a signature: the registry is told of none that was not checked. */
export function signedBy(signer: string, over: Partial<Advert> = {}): Evidence<Advert> {
  return { type: 'advert', value: sample.advert(over), payload: NOTHING, signature: NOTHING, signer };
}

export function describing(over: Partial<Parameters<typeof advertContent>[0]> = {}): AdvertContent {
  return advertContent({
    traits: { ...traits, peerId: SELF },
    pools: { onboarded: resources(), free: resources() },
    price: { amount: '0.05', currency: 'USD', per: 'hour' },
    draining: false,
    ...over,
  });
}

/** Keeps what is written, and fails while it is told to. */
export class ScriptedStore implements AdvertStore {
  readonly stored = new Map<string, StoredAdvert>();
  writes = 0;
  failing = false;

  async load(limit: number): Promise<readonly StoredAdvert[]> {
    if (this.failing) throw new Error('the disk refuses');
    return [...this.stored.values()].slice(0, limit);
  }

  async write(change: Parameters<AdvertStore['write']>[0]): Promise<void> {
    if (this.failing) throw new Error('the disk refuses');
    this.writes += 1;
    for (const advert of change.kept) this.stored.set(advert.evidence.signer, advert);
    for (const peer of change.forgotten) this.stored.delete(peer);
  }

  async keepTime(): Promise<void> {
    if (this.failing) throw new Error('the disk refuses');
  }
}

export class ScriptedPublisher implements AdvertPublisher {
  readonly published: { readonly atMs: number; readonly advert: Advert }[] = [];
  readonly connected = new Set<string>();
  readonly met: string[] = [];
  outOfReach = false;
  audience = 0;
  providers = 0;
  refusing = false;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  peerRecord(): Uint8Array {
    return new TextEncoder().encode('record of self');
  }

  publish(advert: Evidence<Advert>): void {
    if (this.refusing) throw new Error('not an advert');
    this.published.push({ atMs: this.#clock.monotonicMs(), advert: advert.value });
  }

  audienceSize(): number {
    return this.audience;
  }

  connectedProviders(): number {
    return this.providers;
  }

  isConnected(peer: string): boolean {
    return this.connected.has(peer);
  }

  async meet(peer: string): Promise<boolean> {
    this.met.push(peer);
    return !this.outOfReach;
  }
}

/** Says how large a payload is by its labels, which is all that differs here. */
const notary: Notary = {
  self: SELF,
  sign: (type, value) => ({
    type,
    value,
    payload: new Uint8Array(JSON.stringify(value).length),
    signature: NOTHING,
    signer: SELF,
  }),
  countersign: () => NOTHING,
};

/** A store with adverts of many that hold for long: what a node knows from before its restart. */
export function storeOf(peers: readonly string[], receivedAt: number): ScriptedStore {
  const store = new ScriptedStore();
  for (const peer of peers) {
    const evidence = signedBy(peer, { validForMs: DAY_MS });
    store.stored.set(peer, { evidence, receivedAt, knownSince: receivedAt - DAY_MS });
  }
  return store;
}

export interface SceneOptions {
  readonly limits?: Partial<RegistryLimits>;
  readonly preferredPeers?: readonly string[];
  readonly ownJobs?: boolean;
  readonly describe?: () => AdvertContent | undefined;
  readonly store?: ScriptedStore;
  readonly clock?: FakeClock;
  readonly seed?: string;
}

export interface Scene {
  readonly clock: FakeClock;
  readonly store: ScriptedStore;
  readonly publisher: ScriptedPublisher;
  readonly registry: Registry;
  readonly take: (signer: string, over?: Partial<Advert>) => string;
  /** The same of a provider that this node is connected with. */
  readonly takeOfConnected: (signer: string, over?: Partial<Advert>) => string;
  readonly known: () => readonly string[];
}

/** One registry with everything around it scripted. */
export function createScene(options: SceneOptions = {}): Scene {
  const clock = options.clock ?? new FakeClock();
  const store = options.store ?? new ScriptedStore();
  const publisher = new ScriptedPublisher(clock);
  const registry = createRegistry(
    {
      ownJobs: options.ownJobs ?? true,
      preferredPeers: options.preferredPeers ?? [],
      limits: { ...defaultRegistryLimits, ...options.limits },
    },
    {
      clock,
      random: new SeededRandom(options.seed ?? 'registry'),
      logger: silentLogger,
      self: SELF,
      store,
      publisher,
      notary,
      ...(options.describe === undefined ? {} : { describe: options.describe }),
    },
  );
  const take = (signer: string, over: Partial<Advert> = {}): string =>
    registry.handler.take(signedBy(signer, over));
  return {
    clock,
    store,
    publisher,
    registry,
    take,
    takeOfConnected: (signer, over) => {
      publisher.connected.add(signer);
      return take(signer, over);
    },
    known: () => registry.peers().map(({ peerId }) => peerId),
  };
}

export function peerNames(count: number, prefix = 'peer'): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}
