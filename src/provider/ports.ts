import type { Bid, BidRequest, Decline, JobRequest } from '../domain/market/bid.ts';
import type { CapabilityComparison } from '../domain/matching/comparison.ts';
import type {
  ContractAnswer,
  ContractNever,
  ContractRecord,
  Proposal,
  SignedContract,
} from '../domain/market/contract.ts';
import type { Evidence } from '../domain/market/evidence.ts';
import type { Lease } from '../domain/market/lock.ts';
import type { ServingAnswer, ServingItem, ServingList } from '../domain/market/serving.ts';
import type { Invocation } from '../domain/program/task.ts';

// ---- what the provider needs from the store --------------------------------------------------------

/**
 * What its driver needs to find a task again, or what is left of it. It is written down with the execution and read by
 * the same driver, perhaps in a later release: `state` is the driver's own, `version` says of which shape it is.
 */
export interface TaskHandle {
  readonly engine: string;
  readonly version: number;
  /** Counts the runs of its execution, from 1: a batch job has one. */
  readonly run: number;
  readonly state: unknown;
}

/** The provider's record of one execution. */
export interface ProviderExecution {
  readonly item: ServingItem;
  readonly requester: string;
  readonly requesterRecord: Uint8Array;
  readonly jobId: string;
  readonly lockId: string;
  readonly invocation: Invocation;
  /** From before the task begins its work: after a crash exactly this one is found again, or what is left of it ended. */
  readonly task?: TaskHandle;
  readonly acceptedAt: number;
  /** The requester has it; nothing more to say. */
  readonly settled: boolean;
}

/** EligibleComputeProvidersData: what this provider found and answered for one request. Only kept when it bids. */
export interface BidAnswer {
  readonly requestId: string;
  readonly requester: string;
  readonly bidId: string;
  readonly comparison: CapabilityComparison;
  readonly answeredAt: number;
}

/** One synced batch or nothing. */
export interface ProviderCommit {
  readonly leases?: readonly Lease[];
  readonly executions?: readonly ProviderExecution[];
  readonly forgottenExecutionIds?: readonly string[];
  readonly contracts?: readonly ContractRecord[];
  readonly nevers?: readonly Evidence<ContractNever>[];
  readonly answers?: readonly BidAnswer[];
  readonly forgottenRequestIds?: readonly string[];
}

export interface ProviderStore {
  commit(commit: ProviderCommit): Promise<void>;
  /** Everything that is needed to go on after a restart: live leases and executions that are not forgotten. */
  load(): Promise<{
    readonly leases: readonly Lease[];
    readonly executions: readonly ProviderExecution[];
    readonly highestLockVersion: number;
  }>;
  contract(contractId: string): Promise<ContractRecord | undefined>;
  never(contractId: string): Promise<Evidence<ContractNever> | undefined>;
  answer(requestId: string): Promise<BidAnswer | undefined>;
}

// ---- what the provider needs from the network ------------------------------------------------------

export interface RequesterLink {
  /** Signed record of how to reach this node, for bids. */
  peerRecord(): Uint8Array;
  /** Delivers a serving list and returns the answer. Uses the connection that exists, else dials. Rejects when unreachable. */
  report(requester: string, requesterRecord: Uint8Array, list: Evidence<ServingList>): Promise<ServingAnswer>;
  isConnected(requester: string): boolean;
  /** The network that it is connected from, where that is known. */
  prefixOf?(requester: string): string | undefined;
}

/** The disk that the data folder is on. */
export interface DiskGauge {
  /** What may still be written there; undefined where that cannot be told. */
  freeBytes(): Promise<number | undefined>;
}

/** Content as the provider sees it. */
export interface ProviderContent {
  /** Of the quota, what is free just now: what is being taken in counts. */
  room(): { readonly freeBytes: number; readonly quotaBytes: number };
  /** The size of content that is here in full, else undefined. */
  sizeOf(cid: string): Promise<number | undefined>;
  fetch(
    cid: string,
    from: { readonly peer: string; readonly peerRecord: Uint8Array; readonly contractId: string },
    maxBytes: number,
    signal: AbortSignal,
    /** Told of each block that came and is the right one. */
    onBlock?: (bytes: number) => void,
  ): Promise<{ readonly bytes: number }>;
  /** Writes the content of a file that is here to `hostPath`. */
  exportFile(cid: string, hostPath: string): Promise<void>;
  /** Makes one UnixFS directory out of files and bytes; returns its content id once it is durable. */
  importTree(
    entries: readonly { readonly path: string; readonly source: TreeSource }[],
  ): Promise<{ readonly cid: string; readonly bytes: number }>;
  /** Keeps content that is here in full; rejects with `CONTENT_UNAVAILABLE` when it is not. */
  pin(cid: string, owner: string): Promise<void>;
  unpin(owner: string): Promise<void>;
}

/** Where one attempt works, and what it has printed so far. */
export interface AttemptFolder {
  readonly hostPath: string;
  /**
   * Takes bytes as they are printed, and resolves when they are readable; who waits for that holds no more than one
   * chunk in memory. Rejects where there is no room for them.
   */
  append(stream: OutputStream, bytes: Uint8Array): Promise<void>;
  /** Everything was appended: readers that follow come to their end. Resolves when it is all readable. */
  end(): Promise<void>;
  /** Bytes from `offset`; with `follow` goes on until {@link AttemptFolder.end}. */
  read(stream: OutputStream, offset: number, follow: boolean, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** What {@link ProviderContent.importTree} takes for the whole of a stream. */
  source(stream: OutputStream): TreeSource;
}

/** The two streams of an attempt that is over. */
export interface PrintedOutput {
  readonly stdout: TreeSource;
  readonly stderr: TreeSource;
  readonly bytes: number;
}

/** Folders for attempts, below the data directory. */
export interface AttemptFolders {
  /** An empty folder; what an earlier attempt of the same id left is removed first. */
  create(executionId: string): Promise<AttemptFolder>;
  /** The folder of an attempt that outlived the node: what is printed from now on is added to what was. */
  reopen(executionId: string): Promise<AttemptFolder>;
  remove(executionId: string): Promise<void>;
  /** What an attempt of an earlier life of this node had printed; undefined where nothing is left of it. */
  printed(executionId: string): Promise<PrintedOutput | undefined>;
  /** Writes a little and takes it away again; rejects as a real write would. */
  tryWrite(): Promise<void>;
  /** At start: removes the folder of every attempt but those that go on. */
  sweep(keep: ReadonlySet<string>): Promise<void>;
}

export type OutputStream = 'stdout' | 'stderr';
export type TreeSource = { readonly hostPath: string } | { readonly bytes: Uint8Array };

/** Checks the counterpart at closure. */
export interface CounterpartCheck {
  check(peer: string): Promise<{ readonly ok: true } | { readonly ok: false; readonly reason: string }>;
}

/** What this node holds against requesters, as far as it remembers. */
export interface RequesterReputation {
  /** Thousandths; 1000 where nothing is held against the peer. */
  of(peer: string): number;
  /** The peer certified addresses that lead nowhere. */
  unreachable(peer: string): void;
}

// ---- what the network may ask the provider ---------------------------------------------------------

export type Answer =
  | {
      readonly kind: 'bid';
      readonly bid: Evidence<Bid>;
      /**
       * Settles when the answer is on disk. A bid with a lock may not leave before, and any other may, as it promises
       * nothing that is held; nothing is answered on its channel before.
       */
      readonly durable: Promise<void>;
      /** Not to be delivered before, and not at all when the request is closed by then. */
      readonly delayMs?: number;
    }
  | { readonly kind: 'decline'; readonly decline: Evidence<Decline> }
  /** Not to be answered at all: a repeat, excluded, outside the answer share. */
  | { readonly kind: 'silence'; readonly reason: string };

/** What a no refers to: the request that the negotiation is about, whether or not its bid is still known. */
export type Asked = Pick<BidRequest, 'requestId' | 'jobId'>;

/** `shut`: what it asks for now would be met with silence. `regular`: it has kept contracts with this node. */
export type Standing = 'established' | 'stranger' | 'shut';

/** What the network asks about a requester before it spends work on one of its messages. */
export interface RequesterGuard {
  /** By the name in a message whose signature was not looked at: costs nobody anything. */
  standing(claimed: string): Standing;
  /** A message with a good signature that `answer` will not see: a repeat, a notice, one too many. */
  heard(requester: string): void;
  /** None of the addresses that the requester certified could be reached. */
  unreachable(requester: string): void;
  /** True for an established requester, and for whom something is under contract here right now. Left out: nobody is known. */
  knows?(requester: string): boolean;
}

/** The provider's side of the market. One `NegotiationKey` per stream; the network calls `ended` exactly once for each. */
export interface ProviderHandler {
  readonly requesters: RequesterGuard;
  /** Compares, decides, prices. Cheap checks first; nothing is dialled before a yes. */
  answer(request: Evidence<BidRequest>): Promise<Answer>;
  lock(
    requester: string,
    request: Evidence<JobRequest>,
    asked: Asked,
  ): Promise<Evidence<Bid> | Evidence<Decline>>;
  /** The commit point: resolves when contract, lease and execution are durable, or with a decline. */
  accept(requester: string, proposal: Proposal, asked: Asked): Promise<SignedContract | Evidence<Decline>>;
  /** The stream of (requester, request) is over: locks that no contract covers are freed at once. */
  ended(requester: string, requestId: string): void;
  /**
   * What became of a proposal. Throws, having promised nothing, `RATE_LIMITED`, `NEVERS_FULL` or `STORE_BUSY` when it
   * may be asked again, and `CONTRACT_DENIED` to anybody but its requester.
   */
  contract(asker: string, contractId: string): Promise<ContractAnswer>;
  /** True when `peer` is the counterpart of `contractId` and `cid` is its result. */
  mayRead(peer: string, cid: string, contractId: string): Promise<boolean>;
  /** Bytes of a running attempt's output from `offset`, then live until it ends. Only for the contract's requester. */
  logs(
    peer: string,
    contractId: string,
    stream: 'stdout' | 'stderr',
    offset: number,
    follow: boolean,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
  /** A requester came into reach: report at once. */
  peerConnected(peer: string): void;
}
