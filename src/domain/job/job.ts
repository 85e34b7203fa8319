import type { Preference } from '../ranking/weights.ts';
import { CodedError } from '../../lib/coded-error.ts';
import type { JobReason } from './job-reason.ts';
import type { Constraints } from '../matching/constraint.ts';
import type { Price } from '../units/money.ts';
import type { ResourceRequirements } from '../units/resources.ts';
import type { EngineSpec, ExitReason, InputMount, OutputPath } from '../program/task.ts';

export type OrchestrationType = 'pull' | 'push';
export type RetryableReason = Extract<
  ExitReason,
  'lost' | 'internal' | 'exit-code' | 'trap' | 'timeout' | 'input-unavailable'
>;

/** A job description after intake: defaults filled in, inline content stored and named by content id. */
export interface JobSpec {
  readonly name: string;
  readonly type: 'batch' | 'service' | 'ops' | 'daemon';
  readonly count: number;
  readonly priority: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly engine: EngineSpec;
  readonly resources: ResourceRequirements;
  readonly constraints: Constraints;
  readonly prefer: Preference;
  readonly budget?: Price;
  readonly timeouts: JobTimeouts;
  readonly retry: {
    readonly attempts: number;
    readonly backoffMs: number;
    readonly on: readonly RetryableReason[];
  };
  readonly orchestrationType: OrchestrationType;
  readonly preferredProviders: readonly string[];
  readonly excludedProviders: readonly string[];
  readonly inputs: readonly InputMount[];
  readonly outputs: readonly OutputPath[];
}

export interface JobTimeouts {
  readonly searchMs: number;
  readonly queueMs: number;
  /** The job does not say how long it waits: it does so only where a known provider could take it once it has room. */
  readonly queueFor?: 'room';
  readonly lockMs: number;
  readonly contractMs: number;
  readonly startMs: number;
  readonly executionMs: number;
  readonly totalMs: number;
}

/**
 * Pending: stored, nothing placed yet. Queued: waiting for a search slot or for a provider that fits.
 * Running: at least one execution is wanted. The other three are ends.
 */
export type JobState = 'Pending' | 'Queued' | 'Running' | 'Completed' | 'Failed' | 'Stopped';

/** There is one namespace as yet. */
export const DEFAULT_NAMESPACE = 'default';

export interface Job {
  readonly id: string;
  readonly version: number;
  /** Whose names of jobs it shares. */
  readonly namespace: string;
  /** Content id of the spec: what bid requests and contracts refer to. */
  readonly digest: string;
  readonly submitter: string;
  readonly spec: JobSpec;
  readonly createdAt: number;
  readonly state: JobState;
  /** Why the job is in this state, where the state does not say all. */
  readonly why?: JobReason;
  /** Set once somebody asked for the job to end; the scheduler does the rest. */
  readonly stopRequested?: boolean;
  readonly finishedAt?: number;
}

const JOB_TRANSITIONS: Readonly<Record<JobState, readonly JobState[]>> = {
  Pending: ['Queued', 'Running', 'Completed', 'Failed', 'Stopped'],
  Queued: ['Running', 'Completed', 'Failed', 'Stopped'],
  Running: ['Queued', 'Completed', 'Failed', 'Stopped'],
  Completed: [],
  Failed: [],
  Stopped: [],
};

export function isTerminalJobState(state: JobState): boolean {
  return JOB_TRANSITIONS[state].length === 0;
}

/** Moves a job to `state`. Throws `JOB_TRANSITION` where the state machine has no such arrow. */
export function moveJob(job: Job, state: JobState, now: number, why?: JobReason): Job {
  if (job.state === state) return why === undefined ? job : { ...job, why };
  if (!JOB_TRANSITIONS[job.state].includes(state)) {
    throw new CodedError('JOB_TRANSITION', `A job that is ${job.state} cannot become ${state}.`, {
      data: { jobId: job.id, from: job.state, to: state },
    });
  }
  const { why: _old, ...rest } = job;
  return {
    ...rest,
    state,
    ...(why === undefined ? {} : { why }),
    ...(isTerminalJobState(state) ? { finishedAt: now } : {}),
  };
}
