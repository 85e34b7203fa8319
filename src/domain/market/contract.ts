import { CodedError } from '../../lib/coded-error.ts';
import type { BidTime, PeerRecordBytes } from './bid.ts';
import type { EndReason } from './end-reason.ts';
import type { NegotiationReason } from './negotiation-reason.ts';
import type { Evidence } from './evidence.ts';
import type { Price } from '../units/money.ts';
import type { ResourceRequirements } from '../units/resources.ts';
import type { Invocation } from '../program/task.ts';
import type { Nothing, ReasonOf } from '../units/reason.ts';

/** What both sides sign. The contract's id is the content id of these terms in canonical form. */
export interface ContractTerms {
  readonly jobId: string;
  readonly jobDigest: string;
  readonly executionId: string;
  readonly partition: number;
  readonly attempt: number;
  readonly requester: string;
  readonly provider: string;
  readonly bidId: string;
  readonly lockId: string;
  readonly lockVersion: number;
  readonly resources: ResourceRequirements;
  readonly price: Price;
  readonly time: BidTime;
  /** Content id of the invocation's canonical bytes. */
  readonly invocationDigest: string;
  /** The proposal is void when it is not accepted within this time of reaching the provider. */
  readonly acceptWithinMs: number;
  /** A contract that has not started by then ends and owes nothing. */
  readonly startWithinMs: number;
  readonly executionTimeoutMs: number;
  /** How long work goes on while its requester cannot be reached. */
  readonly orphanAfterMs: number;
  /** How long the provider keeps results that the requester has not fetched. */
  readonly retentionMs: number;
  /** What an attempt that was given up and placed elsewhere is owed. */
  readonly superseded: 'nothing';
  readonly maxOutputBytes: number;
  readonly requesterRecord: PeerRecordBytes;
  readonly providerRecord: PeerRecordBytes;
  /** Wall time of the requester, for people: nothing is counted from it. */
  readonly proposedAt: number;
}

/** The proposal as it travels: the signed terms, and what is to be run. */
export interface Proposal {
  readonly terms: Evidence<ContractTerms>;
  readonly invocation: Invocation;
}

/** Both signatures over the same bytes. */
export interface SignedContract {
  readonly contractId: string;
  readonly terms: Evidence<ContractTerms>;
  readonly providerSignature: Uint8Array;
}

export type ContractState =
  | 'DRAFT'
  | 'PROPOSED'
  | 'ACCEPTED'
  | 'ACTIVE'
  | 'COMPLETED'
  | 'SETTLED'
  | 'TERMINATED'
  | 'DECLINED';

/** One side's copy of a contract. When both sides are up and connected, the copies agree. */
export interface ContractRecord {
  readonly contractId: string;
  readonly executionId: string;
  readonly jobId: string;
  readonly state: ContractState;
  readonly terms: Evidence<ContractTerms>;
  readonly providerSignature?: Uint8Array;
  readonly updatedAt: number;
  readonly why?: ContractReason;
}

/** Why a contract ended or was not closed, beside what became of its execution and of the negotiation. */
export interface ContractReasons {
  /** It ended before its work had begun: nothing came of it that anybody could ask for. */
  readonly 'never-begun': Nothing;
  /** It was accepted when its execution had ended already. */
  readonly 'not-wanted': Nothing;
}

export type ContractReason = ReasonOf<ContractReasons> | EndReason | NegotiationReason;

const CONTRACT_TRANSITIONS: Readonly<Record<ContractState, readonly ContractState[]>> = {
  DRAFT: ['PROPOSED'],
  PROPOSED: ['ACCEPTED', 'DECLINED'],
  ACCEPTED: ['ACTIVE', 'COMPLETED', 'TERMINATED'],
  ACTIVE: ['COMPLETED', 'TERMINATED'],
  COMPLETED: ['SETTLED'],
  TERMINATED: ['SETTLED'],
  SETTLED: [],
  DECLINED: [],
};

/** True when `to` can still follow from `from`. */
export function canMoveContract(from: ContractState, to: ContractState): boolean {
  return CONTRACT_TRANSITIONS[from].includes(to);
}

/** Moves a contract. The same state again changes nothing; throws `CONTRACT_TRANSITION` where there is no arrow. */
export function moveContract(
  record: ContractRecord,
  state: ContractState,
  now: number,
  extra: { readonly why?: ContractReason; readonly providerSignature?: Uint8Array } = {},
): ContractRecord {
  if (record.state === state) return record;
  if (!canMoveContract(record.state, state)) {
    throw new CodedError(
      'CONTRACT_TRANSITION',
      `A contract that is ${record.state} cannot become ${state}.`,
      {
        data: { contractId: record.contractId, from: record.state, to: state },
      },
    );
  }
  return { ...record, ...extra, state, updatedAt: now };
}

/** The durable answer of a provider that has not accepted a contract and never will. */
export interface ContractNever {
  readonly contractId: string;
  readonly reason: string;
}

/** What a provider says when asked for a contract by id. */
export type ContractAnswer =
  | { readonly kind: 'accepted'; readonly contract: SignedContract }
  | { readonly kind: 'never'; readonly never: Evidence<ContractNever> };
