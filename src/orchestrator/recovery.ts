import type { Search } from '../domain/market/search.ts';
import { type Execution, isCommitted } from '../domain/market/execution.ts';
import type { Job } from '../domain/job/job.ts';
import type { Clock } from '../lib/clock.ts';
import { codeOf } from '../lib/coded-error.ts';
import type { Evaluations } from './evaluations.ts';
import type { JobChange, JobLane } from './job-lane.ts';
import type { ContractCloser } from './negotiation/contract-closer.ts';
import type { JobStore } from './ports.ts';
import type { Counterparts } from './serving/counterparts.ts';
import type { Liveness } from './serving/liveness.ts';
import type { Watchdog } from './watchdog.ts';

/**
 * How much longer than usual a provider may be silent after a restart: it tried to report to a node that was not
 * there, and waits a while between two tries.
 */
const RECOVERY_GRACE_MS = 10_000;

export interface RecoveryNeeds {
  readonly clock: Clock;
  readonly store: Pick<JobStore, 'openJobs' | 'lastFinished' | 'snapshot' | 'contract'>;
  readonly lane: JobLane;
  readonly liveness: Liveness;
  readonly watchdog: Watchdog;
  readonly counterparts: Pick<Counterparts, 'seen' | 'complete'>;
  readonly closer: ContractCloser;
  readonly evaluations: Evaluations;
  /** Keeps what an open job needs. */
  readonly pin: (job: Job) => Promise<void>;
  /** Lets go of what a job needed; nothing happens where it keeps nothing. */
  readonly unpin: (jobId: string) => Promise<void>;
}

/** Jobs that can have ended so shortly before a crash that their content was not let go of. */
const MOST_JUST_FINISHED = 1000;
/** Those of them whose providers may not have been written down yet as counterparts. */
const MOST_JUST_SERVED = 128;

/** Recovery is nothing special: every job that is not over is looked at. One that cannot be read waits for its backup. */
export async function recoverJobs(needs: RecoveryNeeds): Promise<void> {
  for (const jobId of await needs.store.openJobs()) await unlessUnreadable(recoverJob(jobId, needs));
  const finished = await needs.store.lastFinished(MOST_JUST_FINISHED);
  for (const jobId of finished) void needs.unpin(jobId);
  for (const jobId of finished.slice(0, MOST_JUST_SERVED))
    await unlessUnreadable(rememberServers(jobId, needs));
  needs.counterparts.complete();
}

async function unlessUnreadable(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (codeOf(error) !== 'RECORD_UNREADABLE') throw error;
  }
}

async function rememberServers(jobId: string, { store, counterparts }: RecoveryNeeds): Promise<void> {
  counterparts.seen((await store.snapshot(jobId))?.executions ?? []);
}

/** After a restart no stream is left: open searches are over, and proposals without an answer are asked for. */
async function recoverJob(jobId: string, needs: RecoveryNeeds): Promise<void> {
  const { clock, store, lane, liveness, watchdog, evaluations } = needs;
  await lane.change(jobId, ({ search }) =>
    search === undefined || search.state === 'closed' ? undefined : interrupted(search, clock.livedMs()),
  );
  const snapshot = await store.snapshot(jobId);
  if (snapshot === undefined) return;
  needs.counterparts.seen(snapshot.executions);
  for (const execution of snapshot.executions) {
    if (isCommitted(execution)) liveness.expect(execution.id, RECOVERY_GRACE_MS);
    else if (execution.observed.state === 'AskForBidAccepted') await resolve(execution, needs);
  }
  void needs.pin(snapshot.job);
  watchdog.watch(snapshot);
  evaluations.evaluate(snapshot.job, 'recovery');
}

function interrupted(search: Search, now: number): JobChange {
  return {
    search: { ...search, state: 'closed', closedAt: now, closeReason: 'interrupted' },
    events: [{ type: 'search.closed', at: now, code: 'interrupted' }],
  };
}

async function resolve(execution: Execution, { store, closer, liveness }: RecoveryNeeds): Promise<void> {
  const { contractId } = execution;
  const contract = contractId === undefined ? undefined : await store.contract(contractId);
  if (contract?.state !== 'PROPOSED') return;
  // Should it be a contract already, its provider has tried to report as well.
  liveness.expect(execution.id, RECOVERY_GRACE_MS);
  void closer.resolve(execution, contract);
}
