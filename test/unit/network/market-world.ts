import type { BidRequest } from '../../../src/domain/market/bid.ts';
import type { Evidence, Notary } from '../../../src/domain/market/evidence.ts';
import { identityOf } from '../../../src/identity/key-pair.ts';
import { createNotary, createVerifier } from '../../../src/identity/notary.ts';
import { codeOf } from '../../../src/lib/coded-error.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import type { Verifier } from '../../../src/messages/message.ts';
import { createNetwork, type Network, type NetworkHandlers } from '../../../src/network/index.ts';
import { type ProtocolNames, protocolNames } from '../../../src/network/names.ts';
import type { NetworkLimits } from '../../../src/network/options.ts';
import type { Channel, GossipVerdict, Underlay } from '../../../src/network/underlay.ts';
import type { SearchListener } from '../../../src/orchestrator/ports.ts';
import type { ProviderHandler } from '../../../src/provider/ports.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';
import { SeededRandom } from '../../simulation/seeded-random.ts';
import {
  SimulatedNetwork,
  type SimulatedNode,
  type SimulatedNetworkOptions,
} from '../../simulation/simulated-network.ts';
import * as sample from '../messages/samples.ts';

export const NETWORK = 'testnet';
export const names: ProtocolNames = protocolNames(NETWORK);

/** A provider that bids, locks and accepts whatever comes, and writes down what it was asked. */
export interface ScriptedProvider extends ProviderHandler {
  readonly calls: string[];
}

export function scriptedProvider(notary: Notary, over: Partial<ProviderHandler> = {}): ScriptedProvider {
  const calls: string[] = [];
  const bidFor = (request: BidRequest): ReturnType<typeof sample.bid> =>
    sample.bid({ requestId: request.requestId, jobId: request.jobId });
  return {
    calls,
    answer: async (request) => {
      calls.push(`answer ${request.value.requestId}`);
      return {
        kind: 'bid',
        bid: notary.sign('bid', bidFor(request.value)),
        durable: Promise.resolve(),
      };
    },
    lock: async (_requester, request) => {
      calls.push(`lock ${request.value.executionId}`);
      const lock = { lockId: 'lock-1', version: 7, ttlMs: 5000 };
      const { requestId, executionId } = request.value;
      return notary.sign('bid', sample.bid({ requestId, executionId, lock }));
    },
    accept: async (_requester, proposal) => {
      calls.push('accept');
      return sample.signedContract(proposal, notary);
    },
    ended: (_requester, requestId) => calls.push(`ended ${requestId}`),
    contract: async (_asker, contractId) => ({
      kind: 'never',
      never: notary.sign('contract-never', { contractId, reason: 'not accepted' }),
    }),
    mayRead: async () => false,
    // oxlint-disable-next-line require-yield
    async *logs() {
      throw new Error('no logs');
    },
    peerConnected: (peer) => calls.push(`connected ${peer}`),
    requesters: {
      standing: () => 'stranger',
      heard: () => {},
      unreachable: (requester) => void calls.push(`unreachable ${requester}`),
    },
    ...over,
  };
}

export interface WorldNode {
  readonly peer: string;
  readonly notary: Notary;
  readonly verifier: Verifier;
  readonly network: Network;
  readonly simulated: SimulatedNode;
}

/** A raw node: an underlay without the market's code on it, for peers that do not keep to the protocols. */
export interface RawNode {
  readonly peer: string;
  readonly notary: Notary;
  readonly underlay: Underlay;
}

/** Nodes with scripted desks on a simulated network. */
export class MarketWorld {
  readonly clock = new FakeClock();
  readonly simulation: SimulatedNetwork;
  readonly #limits: Partial<NetworkLimits>;

  constructor(options: Partial<SimulatedNetworkOptions> = {}, limits: Partial<NetworkLimits> = {}) {
    this.simulation = new SimulatedNetwork(this.clock, new SeededRandom('market'), {
      latencyMs: [5, 5],
      ...options,
    });
    this.#limits = limits;
  }

  notary(name: string): Notary {
    return createNotary(identityOf(new SeededRandom(name).bytes(32)), NETWORK, this.clock);
  }

  async node(
    name: string,
    desks: Partial<NetworkHandlers> = {},
    ownJobs = true,
    simulated: SimulatedNode = this.simulation.node(this.notary(name).self),
  ): Promise<WorldNode> {
    const notary = this.notary(name);
    const verifier = createVerifier(NETWORK, simulated.clock);
    const network = createNetwork(
      { network: NETWORK, ownJobs, limits: this.#limits },
      { underlay: simulated.underlay, notary, verifier, clock: simulated.clock, logger: silentLogger },
    );
    network.attach({
      requester: {
        servingList: async (_provider, list) => ({ number: list.value.number, desired: [] }),
        mayRead: async () => false,
      },
      content: { serve: async () => undefined, isPublic: async () => false },
      ...desks,
    });
    await network.start();
    return { peer: notary.self, notary, verifier, network, simulated };
  }

  async raw(name: string, prepare: (underlay: Underlay) => void = () => {}): Promise<RawNode> {
    const notary = this.notary(name);
    const { underlay } = this.simulation.node(notary.self);
    prepare(underlay);
    await underlay.start();
    return { peer: notary.self, notary, underlay };
  }

  settled<T>(work: Promise<T>, limitMs = 60_000): Promise<T> {
    return this.clock.runUntilSettled(work, limitMs);
  }

  /** The code that `work` rejects with, `undefined` when it does not. */
  rejection(work: Promise<unknown>, limitMs = 60_000): Promise<string | undefined> {
    const code = work.then(
      () => undefined,
      (error: unknown) => codeOf(error) ?? String(error),
    );
    return this.settled(code, limitMs);
  }

  request(node: { readonly notary: Notary }, over: Partial<BidRequest> = {}): Evidence<BidRequest> {
    const requesterRecord = new TextEncoder().encode(node.notary.self);
    return node.notary.sign('bid-request', sample.bidRequest({ requesterRecord, ...over }));
  }
}

type Recorded = Parameters<SearchListener['bid']>;

/** Keeps every bid, and writes down what comes. */
export class RecordingListener implements SearchListener {
  readonly bids: Recorded[] = [];
  readonly declines: Parameters<SearchListener['decline']>[0][] = [];
  readonly ended: string[] = [];
  audienceChanges = 0;
  readonly #verdict: ReturnType<SearchListener['bid']>;

  constructor(verdict: ReturnType<SearchListener['bid']> = { keep: true }) {
    this.#verdict = verdict;
  }

  bid(...received: Recorded): ReturnType<SearchListener['bid']> {
    this.bids.push(received);
    return this.#verdict;
  }

  decline(decline: Parameters<SearchListener['decline']>[0]): void {
    this.declines.push(decline);
  }

  negotiationEnded(provider: string): void {
    this.ended.push(provider);
  }

  audienceChanged(): void {
    this.audienceChanges += 1;
  }
}

export async function openRaw(
  node: RawNode,
  peer: string,
  protocol: string,
  maxFrameBytes = 2 ** 22,
): Promise<Channel> {
  return node.underlay.open(
    peer,
    protocol,
    { maxFrameBytes, maxChannels: 100, maxChannelsPerPeer: 100 },
    { timeoutMs: 1000, peerRecord: new Uint8Array() },
  );
}

type Validate = (from: string, message: Uint8Array) => GossipVerdict;

/** The node's underlay, and the door through which its gossip comes in. */
export function tapGossip(simulated: SimulatedNode): {
  readonly simulated: SimulatedNode;
  readonly gossip: (from: string, message: Uint8Array) => GossipVerdict | undefined;
  /** Neighbours that the transport was asked to let go of, as they go on, and to hold back. */
  readonly restrained: readonly string[];
  readonly heldBack: readonly string[];
} {
  const doors: Validate[] = [];
  const restrained: string[] = [];
  const heldBack: string[] = [];
  const underlay = new Proxy(simulated.underlay, {
    get(target, name) {
      if (name === 'subscribe') return (_topic: string, validate: Validate) => doors.push(validate);
      if (name === 'restrain')
        return (peer: string, goesOn: boolean) => (goesOn ? restrained : heldBack).push(peer);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const gossip = (from: string, message: Uint8Array): GossipVerdict | undefined => doors[0]?.(from, message);
  return { simulated: { ...simulated, underlay }, gossip, restrained, heldBack };
}
