import type { JobSnapshot } from '../domain/job/plan.ts';
import { CodedError } from '../lib/coded-error.ts';
import type { Orchestrator } from '../orchestrator/index.ts';

/** The job, or `JOB_NOT_FOUND`. */
export async function findJob(orchestrator: Pick<Orchestrator, 'job'>, jobId: string): Promise<JobSnapshot> {
  const snapshot = await orchestrator.job(jobId);
  if (snapshot !== undefined) return snapshot;
  throw new CodedError(
    'JOB_NOT_FOUND',
    `This node has no job ${jobId.slice(0, 128)}. GET /orchestrator/jobs (or "bidmesh job list") lists those it has.`,
  );
}
