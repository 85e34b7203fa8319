import { refusalSentence } from '../../src/words/refusal-words.ts';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Notary } from '../../src/domain/market/evidence.ts';
import { createNotary, createVerifier, identityOf } from '../../src/identity/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { envelopeOf } from '../../src/messages/envelope.ts';
import { encodeFrame } from '../../src/messages/frame.ts';
import { createNetwork, type Network } from '../../src/network/index.ts';
import { protocolNames } from '../../src/network/names.ts';
import { createProvider, type Provider } from '../../src/provider/index.ts';
import { defaultProviderLimits } from '../../src/provider/options.ts';
import { openStore, type Store } from '../../src/store/index.ts';
import { defaultStoreLimits } from '../../src/store/options.ts';
import { type Bench, round } from './figure.ts';
import { GIB, requestOf } from './requests.ts';
import { WireEnd } from './wire-end.ts';

const NETWORK = 'bench-admission';
const REQUESTERS = 64;
const WARM_UP = 4000;
const FLOOR_SAMPLES = 5000;
/** Requests that are on their way at once: what a node may decide on at the same time. */
const IN_FLIGHT = 128;
/** The rates are counted, but none is reached: what is measured is a request that is answered. */
const PLENTY = { burst: 1e9, perSecond: 1e9 } as const;
const ADMISSION = {
  ...defaultProviderLimits.admission,
  requestsPerRequester: PLENTY,
  answersPerStranger: PLENTY,
  requestsInTotal: PLENTY,
  strangersApartMs: 0,
};
const NEIGHBOUR = 'neighbour';
const MACHINE = { cpuMillis: 16_000, memoryBytes: 64 * GIB, diskBytes: 500 * GIB, gpus: [] };

/**
 * Bid requests from the bytes that gossip brings to the bytes of the signed answer, through the production network,
 * provider and LevelDB in one process. Half of them fit and are answered with a bid that is on disk by then, half ask
 * for more than there is and are answered with a decline. The floor is the native signature check of a request and the
 * signing of an answer, and nothing else.
 */
export const admission: Bench = {
  name: 'admission',
  about: 'bid requests per second on one core, from the wire to a signed yes or no',
  async run({ iterations = 20_000, report, note }) {
    note('signing requests …');
    const requesters = Array.from({ length: REQUESTERS }, () => notaryOf());
    const warmUp = messagesOf(requesters, WARM_UP);
    const messages = messagesOf(requesters, iterations);
    const scene = await openScene();
    try {
      await scene.answerAll(warmUp);
      const before = process.threadCpuUsage();
      const startedMs = performance.now();
      const { bids, declines } = await scene.answerAll(messages);
      const seconds = (performance.now() - startedMs) / 1000;
      // Of this thread alone: what a request costs, whatever else the machine does.
      const { user, system } = process.threadCpuUsage(before);
      const floorBefore = process.threadCpuUsage();
      const floor = signaturesPerSecond(requesters, FLOOR_SAMPLES);
      const ofFloor = process.threadCpuUsage(floorBefore);
      report({
        bench: 'admission',
        metric: 'requests_per_s',
        value: round(iterations / seconds, 0),
        unit: '1/s',
        floor: round(floor, 0),
        ratio: round(iterations / seconds / floor),
        bids,
        declines,
        cpuUsPerRequest: round((user + system) / iterations, 1),
        floorCpuUsPerRequest: round((ofFloor.user + ofFloor.system) / FLOOR_SAMPLES, 1),
      });
    } finally {
      await scene.stop();
    }
  },
};

/** One signature checked and one made for each request: what no admission can do without. */
function signaturesPerSecond(requesters: readonly Notary[], count: number): number {
  const verifier = createVerifier(NETWORK, systemClock);
  const evidence = requesters.map((requester) => requester.sign('bid-request', requestOf()));
  const startedMs = performance.now();
  for (let index = 0; index < count; index += 1) {
    const one = evidence[index % evidence.length];
    const requester = requesters[index % requesters.length];
    if (one === undefined || requester === undefined) throw new RangeError('there is no requester');
    if (!verifier.isCountersignature(one, one.signer, one.signature)) throw new Error('a bad signature');
    requester.countersign(one);
  }
  return (count * 1000) / (performance.now() - startedMs);
}

function notaryOf(): Notary {
  return createNotary(identityOf(randomBytes(32)), NETWORK, systemClock);
}

function messagesOf(requesters: readonly Notary[], count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => {
    const requester = requesters[index % requesters.length];
    if (requester === undefined) throw new RangeError('there is no requester');
    const request = requester.sign('bid-request', requestOf({ cpuMillis: index % 2 === 0 ? 500 : 64_000 }));
    return encodeFrame({ kind: 'bid-request', body: envelopeOf(request) });
  });
}

class Scene {
  readonly #wire: WireEnd;
  readonly #parts: { readonly network: Network; readonly provider: Provider; readonly store: Store };
  readonly #folder: string;
  #answered: () => void = () => {};

  constructor(
    wire: WireEnd,
    parts: { readonly network: Network; readonly provider: Provider; readonly store: Store },
    folder: string,
  ) {
    this.#wire = wire;
    this.#parts = parts;
    this.#folder = folder;
  }

  answered(): void {
    this.#answered();
  }

  async answerAll(messages: readonly Uint8Array[]): Promise<{ bids: number; declines: number }> {
    const topic = protocolNames(NETWORK).requestsTopic;
    const before = this.#parts.network.counters();
    let next = 0;
    let left = messages.length;
    await new Promise<void>((resolve, reject) => {
      const deliver = (): void => {
        const message = messages[next];
        next += 1;
        if (message === undefined) return;
        const verdict = this.#wire.deliver(topic, NEIGHBOUR, message);
        if (verdict !== 'accept') reject(new Error(`a request of the benchmark was refused: ${verdict}`));
      };
      this.#answered = () => {
        left -= 1;
        if (left === 0) resolve();
        // In a turn of its own, as messages come from a socket.
        else setImmediate(deliver);
      };
      for (let index = 0; index < IN_FLIGHT; index += 1) deliver();
    });
    const after = this.#parts.network.counters();
    const gained = (name: string): number => (after[name] ?? 0) - (before[name] ?? 0);
    return { bids: gained('answer.bid'), declines: gained('answer.decline') };
  }

  async stop(): Promise<void> {
    const { network, provider, store } = this.#parts;
    await network.stop();
    await provider.stop();
    await store.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function openScene(): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'bidmesh-admission-'));
  const store = await openStore(
    { folder: join(folder, 'store'), contentFolder: folder, limits: defaultStoreLimits },
    { clock: systemClock, logger: silentLogger },
  );
  const notary = notaryOf();
  const wire = new WireEnd(notary.self, () => scene.answered());
  const base = { notary, clock: systemClock, logger: silentLogger };
  const network = createNetwork(
    {
      network: NETWORK,
      ownJobs: true,
      limits: { gossipPerNeighbour: PLENTY, gossipOfStrangersHandedOn: PLENTY },
    },
    { ...base, underlay: wire, verifier: createVerifier(NETWORK, systemClock) },
  );
  const provider = providerOf(notary, network, store);
  network.attach({
    requester: {
      servingList: async (_provider, list) => ({ number: list.value.number, desired: [] }),
      mayRead: async () => false,
    },
    provider: provider.handler,
    content: { serve: async () => undefined, isPublic: async () => false },
  });
  const scene = new Scene(wire, { network, provider, store }, folder);
  await provider.start();
  await network.start();
  return scene;
}

function unused(): never {
  throw new Error('the benchmark does not get this far');
}

function providerOf(notary: Notary, network: Network, store: Store): Provider {
  return createProvider(
    {
      ownJobs: true,
      price: { amount: '0.05', currency: 'USD', per: 'hour' },
      lockOnBid: false,
      establishedPercent: 20,
      allow: [],
      deny: [],
      limits: { ...defaultProviderLimits, admission: ADMISSION },
    },
    {
      clock: systemClock,
      calendar: store.calendar,
      random: systemRandom,
      logger: silentLogger,
      notary,
      refusalSentence,
      store: store.provider,
      strikes: store.strikes.againstRequesters,
      link: network.requesterLink,
      content: {
        fetch: unused,
        importFolder: unused,
        unpin: unused,
        room: () => ({ freeBytes: 2 ** 40, quotaBytes: 2 ** 40 }),
      } as never,
      disk: { freeBytes: async () => 2 ** 40 },
      folders: {
        create: unused,
        reopen: unused,
        remove: unused,
        printed: unused,
        tryWrite: unused,
        sweep: async () => {},
      },
      drivers: [],
      check: { check: async () => ({ ok: true }) },
      traits: {
        peerId: notary.self,
        nodeVersion: '0.1.0',
        cpu: { cores: 16, arch: 'x64', model: 'EPYC', vendor: 'AMD' },
        engines: { wasm: '1.0.0' },
        runtimes: {},
        labels: {},
        location: { country: 'DE' },
      },
      machine: MACHINE,
      onboarded: MACHINE,
    },
  );
}
