import { CodedError } from '../../lib/coded-error.ts';
import type { LockGrant } from './bid.ts';
import type { EndReason } from './end-reason.ts';
import type { Price } from '../units/money.ts';
import type { ExitReason } from '../program/task.ts';

export type DesiredState = 'Pending' | 'Running' | 'Stopped';

interface Ran {
  readonly contractId: string;
  readonly startedAt?: number;
}

export interface ExecutionEnd {
  readonly finishedAt: number;
  readonly exitReason: ExitReason;
  readonly exitCode?: number;
  readonly why: EndReason;
  /** The provider said no, and will not say anything else to this job. */
  readonly forGood?: true;
  /** The provider said no for want of room: it could take the work once less runs there. */
  readonly noRoom?: true;
  /** The provider said nothing at all to what its own bid had offered. */
  readonly silent?: true;
}

/** The observed state carries exactly the data that is true in it. */
export type Observed =
  | { readonly state: 'New' }
  | { readonly state: 'AskForBid'; readonly askedAt: number }
  | { readonly state: 'AskForBidAccepted'; readonly lock: LockGrant }
  | { readonly state: 'AskForBidRejected'; readonly end: ExecutionEnd }
  | { readonly state: 'BidRejected'; readonly end: ExecutionEnd }
  | ({ readonly state: 'BidAccepted' } & Ran)
  | ({ readonly state: 'Running' } & Ran)
  | ({ readonly state: 'Publishing'; readonly resultCid?: string; readonly resultBytes?: number } & Ran & {
        readonly end: ExecutionEnd;
      })
  | ({ readonly state: 'Completed'; readonly resultCid: string; readonly resultBytes: number } & Ran & {
        readonly end: ExecutionEnd;
      })
  | ({
      readonly state: 'Failed';
      readonly resultCid?: string;
      readonly resultBytes?: number;
    } & Partial<Ran> & {
        readonly end: ExecutionEnd;
      })
  | ({
      readonly state: 'Cancelled';
      readonly resultCid?: string;
      readonly resultBytes?: number;
    } & Partial<Ran> & { readonly end: ExecutionEnd });

export type ObservedState = Observed['state'];

/** One attempt to place one partition of a job on one provider: the requester's record of it. */
export interface Execution {
  readonly id: string;
  readonly jobId: string;
  readonly jobVersion: number;
  readonly partition: number;
  readonly attempt: number;
  readonly provider: string;
  readonly requestId: string;
  readonly bidId: string;
  readonly price: Price;
  readonly createdAt: number;
  /** Written by the scheduler alone. */
  readonly desired: DesiredState;
  /** Written by facts from the network, and by the scheduler for ends that no fact can report any more. */
  readonly observed: Observed;
  /** The newest serving-list sequence that was applied. */
  readonly sequence: number;
  /** When the provider last had it on its serving list, on this node's clock. */
  readonly lastSeenAt: number;
  /** The contract that was proposed for it, from before the proposal is sent. */
  readonly contractId?: string;
}

const ARROWS: Readonly<Record<ObservedState, readonly ObservedState[]>> = {
  New: ['AskForBid', 'AskForBidAccepted', 'AskForBidRejected', 'BidRejected', 'Cancelled', 'Failed'],
  AskForBid: ['AskForBidAccepted', 'AskForBidRejected', 'BidRejected', 'Cancelled', 'Failed'],
  AskForBidAccepted: ['BidAccepted', 'BidRejected', 'Cancelled', 'Failed'],
  BidAccepted: ['Running', 'Publishing', 'Completed', 'Failed', 'Cancelled'],
  Running: ['Publishing', 'Completed', 'Failed', 'Cancelled'],
  Publishing: ['Completed', 'Failed', 'Cancelled'],
  AskForBidRejected: [],
  BidRejected: [],
  Completed: [],
  Failed: [],
  Cancelled: [],
};

export function isTerminalObserved(state: ObservedState): boolean {
  return ARROWS[state].length === 0;
}

export function isLive(execution: Execution): boolean {
  return !isTerminalObserved(execution.observed.state);
}

/** The contract is closed and the work is not over. */
export function isCommitted(execution: Execution): boolean {
  const { state } = execution.observed;
  return state === 'BidAccepted' || state === 'Running' || state === 'Publishing';
}

/** Its two sides lost each other, which says nothing about the work: another one is to do it. */
export function isGone({ observed }: Execution): boolean {
  if (observed.state !== 'Failed') return false;
  return observed.end.exitReason === 'lost' || observed.end.exitReason === 'requester-away';
}

/** Its provider has, or had, set aside what it takes: no contract is closed without. */
export function wasLocked({ observed }: Execution): boolean {
  if (observed.state === 'AskForBidAccepted') return true;
  return 'contractId' in observed && observed.contractId !== undefined;
}

/** True when the observed state may become `state`. */
export function canObserve(execution: Execution, state: ObservedState): boolean {
  return ARROWS[execution.observed.state].includes(state);
}

/** Writes a new observed state. Throws `EXECUTION_TRANSITION` where the state machine has no such arrow. */
export function observe(execution: Execution, observed: Observed): Execution {
  if (!canObserve(execution, observed.state)) {
    throw new CodedError(
      'EXECUTION_TRANSITION',
      `An execution that is ${execution.observed.state} cannot become ${observed.state}.`,
      { data: { executionId: execution.id, from: execution.observed.state, to: observed.state } },
    );
  }
  return { ...execution, observed };
}

/** A place of a job that one execution at a time fills. Batch jobs have one replica of each partition, the first. */
export interface Slot {
  readonly partition: number;
  readonly replica: number;
}

/** Derived, so that a plan that is carried out twice makes nothing twice. */
export function executionIdOf(jobId: string, version: number, slot: Slot, attempt: number): string {
  return `${jobId}.v${version}.${slotName(slot)}.a${attempt}`;
}

function slotName({ partition, replica }: Slot): string {
  return `p${partition}r${replica}`;
}

/** The partition that an id made by {@link executionIdOf} is of. Those of 0.1.0, which may still be stored, name no replica. */
export function partitionOf(executionId: string): number | undefined {
  const partition = /\.p(\d{1,9})(?:r\d{1,9})?\.a\d+$/.exec(executionId)?.[1];
  return partition === undefined ? undefined : Number(partition);
}
