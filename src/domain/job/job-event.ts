import type { EndReason } from '../market/end-reason.ts';
import type { NegotiationReason } from '../market/negotiation-reason.ts';
import type { KeptError, ReasonOf } from '../units/reason.ts';
import type { JobReason } from './job-reason.ts';

/** What an event tells beside why its job or execution is as it is. */
export interface EventReasons {
  /** The result of an execution waits for room on this node. */
  readonly 'result-waits': KeptError;
}

export type EventReason = JobReason | EndReason | NegotiationReason | ReasonOf<EventReasons>;

/** What happened to a job, written in the same batch as the change it tells of. */
export type JobEventType =
  | 'job.posted'
  | 'job.queued'
  | 'job.completed'
  | 'job.failed'
  | 'job.stopped'
  | 'search.opened'
  | 'search.closed'
  | 'bid.received'
  | 'bid.refused'
  | 'provider.shortlisted'
  | 'lock.requested'
  | 'lock.acquired'
  | 'lock.declined'
  | 'lock.timeout'
  | 'contract.proposed'
  | 'contract.accepted'
  | 'contract.declined'
  | 'execution.started'
  | 'execution.publishing'
  | 'execution.completed'
  | 'execution.failed'
  | 'execution.lost'
  | 'execution.cancelled'
  | 'contract.settled'
  | 'contract.terminated';

export interface JobEventDraft {
  readonly type: JobEventType;
  readonly at: number;
  readonly executionId?: string;
  readonly provider?: string;
  readonly code?: string;
  readonly why?: EventReason;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** `seq` counts from 1 within a job, without gaps. */
export interface JobEvent extends JobEventDraft {
  readonly seq: number;
}
