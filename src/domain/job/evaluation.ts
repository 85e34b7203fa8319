export type EvaluationTrigger =
  | 'job-register'
  | 'job-cancel'
  | 'job-queue'
  | 'job-timeout'
  | 'job-retry'
  | 'search-closed'
  | 'exec-update'
  | 'exec-failure'
  | 'exec-timeout'
  | 'recovery';

/** A request to compare a job's desired state with its observed one. */
export interface Evaluation {
  readonly id: string;
  readonly jobId: string;
  readonly type: 'batch' | 'service' | 'ops' | 'daemon';
  readonly priority: number;
  readonly trigger: EvaluationTrigger;
  readonly createdAt: number;
  /** Not before this lived time. */
  readonly waitUntil?: number;
}
