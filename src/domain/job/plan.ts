import type { EvaluationTrigger } from './evaluation.ts';
import type { DesiredState, Execution, Observed } from '../market/execution.ts';
import type { JobReason } from './job-reason.ts';
import type { Job, JobState } from './job.ts';
import type { BidRefusalCode } from '../market/passed-over.ts';
import type { RuledOut, Search } from '../market/search.ts';

/** Everything `reconcile` may look at. Nothing else reaches it: no clock, no store, no network. */
export interface JobSnapshot {
  readonly job: Job;
  readonly executions: readonly Execution[];
  /** The newest round. */
  readonly search?: Search;
  /** Grows by one with every commit of this job; a plan made on an older one is refused. */
  readonly revision: number;
}

export interface ReconcileInput extends JobSnapshot {
  /** Providers whose negotiation for the present round is open right now. A restart empties it. */
  readonly openNegotiations: ReadonlySet<string>;
  /** A committed execution whose provider was silent for longer than this is lost. */
  readonly lostAfterMs: number;
  readonly maxSearchRounds: number;
  /** When this job was last told that there may be room for it. */
  readonly roomFreedAt?: number;
}

export type PlanAction =
  | {
      readonly kind: 'StartSearch';
      readonly round: number;
      readonly slots: number;
      readonly exclude: readonly string[];
      readonly ruledOut?: readonly RuledOut[];
      readonly fruitlessRounds: number;
      readonly fruitlessSince: number;
      readonly roomMayCome?: true;
    }
  | { readonly kind: 'CloseSearch'; readonly requestId: string }
  /** Bids of the newest round that cannot be used any more. */
  | { readonly kind: 'RefuseBids'; readonly providers: readonly string[]; readonly code: BidRefusalCode }
  | { readonly kind: 'CreateExecution'; readonly execution: Execution }
  | {
      readonly kind: 'SetDesired';
      readonly executionId: string;
      readonly desired: DesiredState;
      /** Only for ends that no fact can report any more. */
      readonly observed?: Observed;
    }
  | { readonly kind: 'MarkLost'; readonly executionId: string; readonly observed: Observed }
  | { readonly kind: 'Requeue'; readonly trigger: EvaluationTrigger; readonly waitUntil: number }
  | { readonly kind: 'SetJobState'; readonly state: JobState; readonly why?: JobReason };

export interface Plan {
  readonly jobId: string;
  /** The revision the plan was made on. */
  readonly revision: number;
  readonly actions: readonly PlanAction[];
}
