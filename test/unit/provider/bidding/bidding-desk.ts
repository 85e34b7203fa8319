import { refusalSentence } from '../../../../src/words/refusal-words.ts';
import type { Bid, BidRequest, JobRequest } from '../../../../src/domain/market/bid.ts';
import type { ContractTerms, Proposal } from '../../../../src/domain/market/contract.ts';
import type { Evidence, Notary } from '../../../../src/domain/market/evidence.ts';
import { executionIdOf } from '../../../../src/domain/market/execution.ts';
import type { Lease } from '../../../../src/domain/market/lock.ts';
import type { Resources } from '../../../../src/domain/units/resources.ts';
import type { RuntimeMemory } from '../../../../src/domain/matching/runtime-memory.ts';
import type { Invocation } from '../../../../src/domain/program/task.ts';
import { contentIdOf, encodeCanonical } from '../../../../src/lib/canonical.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { Bidder } from '../../../../src/provider/bidding/bidder.ts';
import { Capacity } from '../../../../src/provider/bidding/capacity.ts';
import { ContractDesk } from '../../../../src/provider/bidding/contract-desk.ts';
import { Allotment } from '../../../../src/provider/locks/allotment.ts';
import { Leftovers } from '../../../../src/provider/bidding/leftovers.ts';
import { ResourceLedger } from '../../../../src/provider/locks/ledger.ts';
import { defaultProviderLimits, type ProviderOptions } from '../../../../src/provider/options.ts';
import type { Answer, ProviderExecution } from '../../../../src/provider/ports.ts';
import { Room } from '../../../../src/provider/resources/room.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';
import {
  evidence,
  MODULE_CID,
  notaryOf,
  PRICE,
  REQUESTER,
  requestOf,
  RESOURCES,
  termsOf,
} from '../../fakes/market.ts';
import { ScriptedProviderStore } from '../../fakes/provider-store.ts';

export const PROVIDER = 'provider';
/** What a provider says of its machine, beside who it is. */
export const TRAITS = {
  nodeVersion: '1.0.0',
  cpu: { cores: 4, arch: 'x64', model: 'model', vendor: 'vendor' },
  engines: { wasm: '1.0.0' },
  runtimes: {},
  labels: {},
  location: {},
};

export const ONBOARDED: Resources = { cpuMillis: 1600, memoryBytes: 10_000, diskBytes: 10_000, gpus: [] };
export const EXECUTION = executionIdOf('job', 1, { partition: 0, replica: 0 }, 1);

export const INVOCATION: Invocation = {
  engine: { type: 'wasm', module: { cid: MODULE_CID, size: 8 }, args: [], env: {}, stdin: '' },
  inputs: [],
  outputs: [],
  partition: 0,
  partitionCount: 1,
};

export function providerOptions(changes: Partial<ProviderOptions> = {}): ProviderOptions {
  return {
    ownJobs: true,
    price: PRICE,
    lockOnBid: false,
    establishedPercent: 20,
    allow: [],
    deny: [],
    limits: defaultProviderLimits,
    ...changes,
  };
}

/** The provider's side of a negotiation, without a network. */
export class BiddingDesk {
  readonly clock: FakeClock;
  readonly store = new ScriptedProviderStore();
  readonly expired: Lease[] = [];
  readonly unused: Lease[] = [];
  readonly accepted: ProviderExecution[] = [];
  readonly ledger: ResourceLedger;
  readonly allotment: Allotment;
  /** Requesters that this provider has worked for, and what it knows of others. */
  readonly regulars = new Set<string>();
  readonly reputations = new Map<string, number>();
  readonly prefixes = new Map<string, string>();
  /** Executions whose program was started. */
  readonly begun = new Set<string>();
  /** Who has contracts that are not settled. */
  unsettled: string[] = [];
  /** Whether a share is kept for established requesters. */
  isKept = false;
  readonly bidder: Bidder;
  readonly contracts: ContractDesk;
  verdict: { ok: true } | { ok: false; reason: string } = { ok: true };
  liveExecutions = 0;
  /** How often somebody was refused for want of room. */
  shortages = 0;
  /** What the disk and the content store have room for. */
  diskBytes: number | undefined;
  contentBytes = 2 ** 40;
  contentQuotaBytes = 2 ** 40;
  /** What is here of content, by id. */
  readonly here = new Map<string, number>();
  trial = async (): Promise<void> => {};
  readonly room: Room;
  readonly content = {
    room: () => ({ freeBytes: this.contentBytes, quotaBytes: this.contentQuotaBytes }),
    sizeOf: async (cid: string) => this.here.get(cid),
  };
  /** What the provider thinks that its next start takes, by engine. */
  readonly startsInMs = new Map<string, number>();
  #ids = 0;

  /** `around`: the clock and the signer of a network that it is the desk of. */
  constructor(
    changes: Partial<ProviderOptions> = {},
    around: {
      readonly clock?: FakeClock;
      readonly notary?: Notary;
      readonly runtimeMemory?: RuntimeMemory;
    } = {},
  ) {
    const options = providerOptions(changes);
    const id = (): string => `id-${(this.#ids += 1)}`;
    const { clock = new FakeClock(), notary = notaryOf(PROVIDER) } = around;
    this.clock = clock;
    const { content } = this;
    const disk = { freeBytes: async () => this.diskBytes };
    const folders = { tryWrite: () => this.trial() };
    this.room = new Room({ clock, disk, folders, content });
    const base = { clock, logger: silentLogger, notary, store: this.store, room: this.room, content };
    this.ledger = new ResourceLedger(
      { machine: ONBOARDED, onboarded: ONBOARDED, highestVersion: 0 },
      { clock: this.clock, newLockId: id, onExpired: (lease) => this.expired.push(lease) },
    );
    this.allotment = new Allotment(options.establishedPercent, options.limits.strangers, {
      clock,
      ledger: this.ledger,
      isEstablished: (requester) => this.regulars.has(requester),
      reputationOf: (requester) => this.reputations.get(requester) ?? 1000,
      isKept: () => this.isKept,
      hasBegun: (executionId) => this.begun.has(executionId),
      unsettled: () => this.unsettled,
      prefixOf: (requester) => this.prefixes.get(requester),
    });
    const traits = {
      peerId: notary.self,
      ...TRAITS,
      ...(around.runtimeMemory === undefined ? {} : { runtimeMemory: around.runtimeMemory }),
    };
    const leftovers = new Leftovers(options.establishedPercent, {
      content,
      isEstablished: (requester) => this.regulars.has(requester),
      isKept: () => this.isKept,
      executions: () => this.accepted,
    });
    this.bidder = new Bidder(options, {
      leftovers,
      refusalSentence,
      onUnused: (lease) => this.unused.push(lease),
      ...base,
      newId: id,
      ledger: this.ledger,
      capacity: new Capacity(options.limits, { traits, ledger: this.ledger, allotment: this.allotment }),
      link: { peerRecord: () => Uint8Array.of(2), isConnected: () => true },
      traits,
      liveExecutions: () => this.liveExecutions,
      starts: { estimateMs: (engine) => this.startsInMs.get(engine) ?? 0 },
      onNoRoom: () => {
        this.shortages += 1;
      },
      holdsInputsOf: (jobId) => this.accepted.some((known) => known.jobId === jobId),
    });
    this.contracts = new ContractDesk(options, {
      ...base,
      refusalSentence,
      ledger: this.ledger,
      bidder: this.bidder,
      check: { check: async () => this.verdict },
      leftovers,
      isEstablished: (requester) => this.regulars.has(requester),
      isKnown: (executionId) => this.accepted.some(({ item }) => item.executionId === executionId),
      onAccepted: (execution) => this.accepted.push(execution),
    });
  }

  /** The answer, once it may leave. */
  async answer(changes: Partial<BidRequest> = {}, requester = REQUESTER): Promise<Answer> {
    const answer = await this.bidder.answer(evidence('bid-request', requestOf(changes), requester));
    if (answer.kind === 'bid') await answer.durable;
    return answer;
  }

  async bid(changes: Partial<BidRequest> = {}, requester = REQUESTER): Promise<Bid> {
    const answer = await this.answer(changes, requester);
    if (answer.kind !== 'bid') throw new Error(`no bid but ${JSON.stringify(answer)}`);
    return answer.bid.value;
  }

  lock(bid: Bid, changes: Partial<JobRequest> = {}, requester = REQUESTER): ReturnType<Bidder['lock']> {
    const request = {
      requestId: bid.requestId,
      bidId: bid.bidId,
      executionId: EXECUTION,
      attempt: 1,
      ...changes,
    };
    return this.bidder.lock(requester, evidence('job-request', request, requester), bid);
  }

  /** A bid with a lock for the first execution. */
  async locked(changes: Partial<BidRequest> = {}): Promise<Bid> {
    const answer = await this.lock(await this.bid(changes));
    if (answer.type !== 'bid') throw new Error(`no lock but ${JSON.stringify(answer.value)}`);
    return (answer as Evidence<Bid>).value;
  }

  proposal(
    bid: Bid,
    changes: Partial<ContractTerms> = {},
    invocation = INVOCATION,
    signer = REQUESTER,
  ): Proposal {
    const terms = termsOf({
      bidId: bid.bidId,
      lockId: bid.lock?.lockId ?? 'none',
      lockVersion: bid.lock?.version ?? 0,
      invocationDigest: contentIdOf(encodeCanonical(invocation)),
      resources: RESOURCES,
      ...changes,
    });
    return { terms: evidence('contract-terms', terms, signer), invocation };
  }
}
