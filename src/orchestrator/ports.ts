import type { SeenFits } from '../domain/ranking/answering.ts';
import type { Bid, BidRequest, Decline, JobRequest, SearchClosed } from '../domain/market/bid.ts';
import type { ContractAnswer, ContractRecord, Proposal, SignedContract } from '../domain/market/contract.ts';
import type { Evidence } from '../domain/market/evidence.ts';
import type { Execution } from '../domain/market/execution.ts';
import type { JobEvent, JobEventDraft } from '../domain/job/job-event.ts';
import type { TableHints } from '../domain/explain/explanation.ts';
import type { Job, JobSpec, JobState } from '../domain/job/job.ts';
import type { JobSnapshot } from '../domain/job/plan.ts';
import type { AskingOutcome, Patience, Strangers } from '../domain/trust/stranger-turnout.ts';
import type { ContentChange } from '../domain/program/stored-content.ts';
import type { Search } from '../domain/market/search.ts';
import type { ServingAnswer, ServingList } from '../domain/market/serving.ts';

// ---- what the requester needs from the store -------------------------------------------------------

/** One change of one job, written as one synced batch or not at all. */
export interface JobCommit {
  readonly jobId: string;
  /** 0 makes the job; any other must be the present revision, else `REVISION_CONFLICT` is thrown. */
  readonly revision: number;
  readonly job?: Job;
  readonly executions?: readonly Execution[];
  readonly search?: Search;
  readonly contracts?: readonly ContractRecord[];
  readonly idempotency?: { readonly key: string; readonly bodyDigest: string };
  /** Content that comes with the job, and that it keeps. */
  readonly content?: readonly ContentChange[];
  readonly events: readonly JobEventDraft[];
  /** Nothing more comes in this turn, so it need not be waited for. */
  readonly prompt?: boolean;
}

export interface JobFilter {
  /** Jobs whose ids begin so, by id from the last one; goes with `limit` alone. */
  readonly idPrefix?: string;
  readonly state?: JobState;
  readonly name?: string;
  readonly label?: { readonly key: string; readonly value: string };
  readonly limit: number;
  readonly cursor?: string;
}

export interface JobPage {
  readonly items: readonly JobSnapshot[];
  readonly nextCursor?: string;
}

/** A change that has its place in the order of writes. */
export interface PendingCommit {
  readonly after: JobSnapshot;
  /** Settles when the change, and every one before it, is on disk. */
  readonly durable: Promise<void>;
}

/**
 * The jobs of this node. Reads give durable state only, but for those of the newest.
 * Fails with `STORE_FAILED` when the disk refuses; the node then stops taking work.
 */
export interface JobStore {
  snapshot(jobId: string): Promise<JobSnapshot | undefined>;
  /**
   * Resolves as soon as the change has its place. What is decided on `after` may only be told to anybody once it is
   * durable, or a later commit is: then this one is as well.
   */
  begin(commit: JobCommit): Promise<PendingCommit>;
  /** With what is being written; the same holds for it. */
  newest(jobId: string): Promise<JobSnapshot | undefined>;
  newestContract(contractId: string): Promise<ContractRecord | undefined>;
  /** Settles when everything of the job that has been begun is on disk. */
  settled(jobId: string): Promise<void>;
  list(filter: JobFilter): Promise<JobPage>;
  /** Ids of all jobs that are not in an end state, oldest first. */
  openJobs(): Promise<readonly string[]>;
  byIdempotencyKey(key: string): Promise<{ readonly jobId: string; readonly bodyDigest: string } | undefined>;
  contract(contractId: string): Promise<ContractRecord | undefined>;
  /** Contracts whose fate is not known yet, of all jobs. */
  proposedContracts(limit: number): Promise<readonly ContractRecord[]>;
  /** Ids of the jobs that ended last, the last one first. */
  lastFinished(limit: number): Promise<readonly string[]>;
  contractsOf(jobId: string): Promise<readonly ContractRecord[]>;
  /** All rounds, oldest first. */
  searchesOf(jobId: string): Promise<readonly Search[]>;
  events(jobId: string, afterSeq: number, limit: number): Promise<readonly JobEvent[]>;
  /** Calls `listener` after each durable commit of the job, with its events; the returned function ends it. */
  watch(jobId: string, listener: (events: readonly JobEvent[]) => void): () => void;
}

// ---- what the requester needs from the network -----------------------------------------------------

/** An open negotiation with one provider: the stream on which its bid came. */
export interface Negotiation {
  readonly provider: string;
  readonly open: boolean;
  /** Asks for the lock. Rejects with `NEGOTIATION_LOST` when the stream breaks, `NEGOTIATION_TIMEOUT` after `timeoutMs`. */
  requestLock(request: JobRequest, timeoutMs: number): Promise<Evidence<Bid> | Evidence<Decline>>;
  /** Sends the proposal. Same errors; after a timeout the outcome is unknown and must be asked for by contract id. */
  propose(proposal: Proposal, timeoutMs: number): Promise<SignedContract | Evidence<Decline>>;
  /** Ends it; before the commit point that frees the provider's lock at once. */
  close(): void;
}

export interface SearchListener {
  /** A bid with a good signature by the peer that delivered it. The answer says whether the stream stays open. */
  bid(
    bid: Evidence<Bid>,
    negotiation: Negotiation,
  ): { readonly keep: true } | { readonly keep: false; readonly code: string };
  decline(decline: Evidence<Decline>): void;
  /** The stream of a kept bid broke or was closed by the provider. */
  negotiationEnded(provider: string): void;
  /** A provider that can hear the request appeared, or one of those went away. */
  audienceChanged(): void;
}

/** A request that is on the air. */
export interface OpenRequest {
  /** Peers that are known to have had the request: subscribers, those asked directly, and this node's own provider. */
  audience(): ReadonlySet<string>;
  /** Tells the audience that no more bids are taken. Open negotiations stay. */
  close(): void;
}

/** A provider to ask directly, and how to reach it where there is no connection. */
export interface RequestTarget {
  readonly peer: string;
  readonly peerRecord?: Uint8Array;
}

/** Providers that hear a request only through others, as they are not connected: who would bid has to connect first. */
export interface IndirectProviders {
  /** Those that could take the job, by their adverts. */
  readonly fitting: readonly string[];
  /** There may be others: out of this node's reach, or not heard of yet. */
  readonly mayBeMore: boolean;
}

/** Which providers this node knows by more than their adverts, and what came of asking them. */
export interface Acquaintance {
  /** Those that could take the job, the best known first; excluded ones left out. */
  acquainted(spec: JobSpec, limit: number): readonly string[];
  strangers(): Strangers;
  patienceWith(peer: string): Patience;
  /** A provider has bid, or said no; `came`: it was not connected when it was asked, so it came for it. */
  answered(peer: string, came: boolean): void;
  /** A provider has kept a contract. */
  kept(peer: string): void;
  /** A provider has bid, and did not answer when it was taken at its word. */
  broke(peer: string): void;
  hasKept(peer: string): boolean;
  /** A provider is taken at the word of its bid. */
  taken(peer: string): void;
  /** It was a moment ago, and has not kept any contract yet. */
  isOnTrial(peer: string): boolean;
  /** Of those that have not kept any contract yet, too many broke their word lately. */
  isWary(): boolean;
  asked(outcome: AskingOutcome): void;
}

/** Providers by their adverts: may be old, so whoever is chosen is still asked. */
export interface PeerTable {
  /** About how many providers the network has. */
  sizeEstimate(): number;
  /** The best for a job, those that fit first; excluded ones left out. */
  candidates(spec: JobSpec, limit: number): readonly RequestTarget[];
  /** How well a job would sit on those of the known providers that could take it. */
  fits(spec: JobSpec): SeenFits;
  indirect(spec: JobSpec): IndirectProviders;
  recordOf(peer: string): Uint8Array | undefined;
  /** Why providers fit or not. */
  explain(spec: JobSpec): TableHints;
  /** Left out by tables that know providers by their adverts alone: then nobody is known by more. */
  readonly acquaintance?: Acquaintance;
}

export interface Market {
  readonly self: string;
  /** Signed record of how to reach this node, for requests and contracts. */
  peerRecord(): Uint8Array;
  /** The providers that could hear a request right now, this node's own included. */
  audience(): readonly string[];
  /** Names of the networks that connected peers are of and this node is not, sorted; at most 8. */
  otherNetworks(): readonly string[];
  /** The measured time to a peer and back; undefined where it was not measured. Asks nobody. */
  roundTripMs(peer: string): number | undefined;
  /**
   * Puts a request on the air: by gossip, or with `targets` directly and to those alone. A target that cannot be
   * reached leaves the audience.
   */
  openRequest(
    request: Evidence<BidRequest>,
    listener: SearchListener,
    targets?: readonly RequestTarget[],
  ): OpenRequest;
  /** Asks the provider for a contract by id; finds it by the peer record in the terms. Rejects when it cannot be reached. */
  askContract(contractId: string, provider: string, providerRecord: Uint8Array): Promise<ContractAnswer>;
  closed(notice: Evidence<SearchClosed>): void;
}

/** Content that becomes durable with a job, in one batch. It is ended once, behind that batch or in its place. */
export interface ContentDraft {
  /** Gives inline content its id. */
  put(bytes: Uint8Array): Promise<{ readonly cid: string; readonly size: number }>;
  /** The size of content that is here in full, else undefined. It stays until the draft is ended. */
  sizeOf(cid: string): Promise<number | undefined>;
  /** What belongs into the batch: all that was put or asked for, kept by `owner` as far as an owner may keep it. */
  changes(owner: string): readonly ContentChange[];
  end(): Promise<void>;
}

/** Moves content. Results are fetched block by block and checked as they come. */
export interface ContentFetcher {
  /** Of the content quota, what is free just now. */
  room(): { readonly freeBytes: number };
  /** Rejects with `DISK_FULL` where the disk has no room left for records. */
  requireRoom(): Promise<void>;
  /** Makes the whole DAG of `cid` present and durable here. Rejects with `CONTENT_UNAVAILABLE`, `CONTENT_INVALID` or `CONTENT_TOO_LARGE`. */
  fetch(
    cid: string,
    from: { readonly peer: string; readonly peerRecord: Uint8Array; readonly contractId: string },
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<{ readonly bytes: number }>;
  /** Begins content that is written together with a job. */
  draft(): ContentDraft;
  /** The size of content that is here in full, else undefined. */
  sizeOf(cid: string): Promise<number | undefined>;
  /** Keeps content that is here in full; rejects with `CONTENT_UNAVAILABLE` when it is not. */
  pin(cid: string, owner: string): Promise<void>;
  unpin(owner: string): Promise<void>;
}

/** Output of an execution that runs right now, from its provider. */
export interface LiveLogs {
  read(
    provider: string,
    providerRecord: Uint8Array,
    contractId: string,
    stream: 'stdout' | 'stderr',
    offset: number,
    follow: boolean,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
}

/** Files that are here. */
export interface StoredFiles {
  open(
    cid: string,
    path: string,
  ): Promise<{ readonly size: number; readonly bytes: AsyncIterable<Uint8Array> } | undefined>;
}

/** Checks the counterpart at closure. Identity only on an open network; membership credentials on others. */
export interface CounterpartCheck {
  check(peer: string): Promise<{ readonly ok: true } | { readonly ok: false; readonly reason: string }>;
}

// ---- what the network may ask the requester --------------------------------------------------------

export interface RequesterHandler {
  /** False for a provider with which there never was a contract. Costs nothing. Left out: any provider may. */
  mayReport?(provider: string): boolean;
  /** Items of a list that have to be looked up, as they are not known to be of the provider. Costs nothing. Left out: none. */
  strays?(provider: string, list: ServingList): number;
  /**
   * A provider's serving list: facts in, desired states out. The answer is given when the facts are durable. Strays beyond
   * a number are left out of it: they stay as they are until the next list.
   */
  servingList(provider: string, list: Evidence<ServingList>): Promise<ServingAnswer>;
  /** True when `peer` is the counterpart of `contractId` and may read `cid` under it (a job's inputs). */
  mayRead(peer: string, cid: string, contractId: string): Promise<boolean>;
  /** What was left open with it is asked for. */
  peerConnected?(peer: string): void;
  /** True for a provider that kept a contract, and for one with which there is one right now. Left out: nobody is known. */
  knows?(peer: string): boolean;
}
