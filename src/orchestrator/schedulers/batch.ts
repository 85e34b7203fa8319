import {
  type Execution,
  type ExecutionEnd,
  type Observed,
  executionIdOf,
  isCommitted,
  isLive,
} from '../../domain/execution.ts';
import { isTerminalJobState } from '../../domain/job.ts';
import type { Plan, PlanAction, ReconcileInput } from '../../domain/plan.ts';
import type { ExitReason } from '../../domain/task.ts';
import { pickCandidates } from './candidates.ts';
import { retryVerdict } from './retry.ts';

/**
 * What should differ for a batch job: `count` partitions, each completed once. Pure: the same input gives the same
 * plan, and carrying a plan out makes a later plan smaller, until nothing is left to do.
 */
export function reconcileBatch(input: ReconcileInput, now: number): Plan {
  const { job, revision } = input;
  return {
    jobId: job.id,
    revision,
    actions: isTerminalJobState(job.state) ? stopAll(input, now, 'cancelled') : actionsFor(input, now),
  };
}

function actionsFor(input: ReconcileInput, now: number): readonly PlanAction[] {
  const { job } = input;
  if (job.stopRequested === true) {
    return [
      ...stopAll(input, now, 'cancelled'),
      { kind: 'SetJobState', state: 'Stopped', reason: 'Stopped by its owner.' },
    ];
  }
  const deadline = job.createdAt + job.spec.timeouts.totalMs;
  if (now >= deadline) {
    return [
      ...stopAll(input, now, 'timeout'),
      {
        kind: 'SetJobState',
        state: 'Failed',
        reason: `The job was not done within its total time of ${job.spec.timeouts.totalMs} ms.`,
      },
    ];
  }
  const lost = markLost(input, now);
  const executions = apply(input.executions, lost);
  const open = openPartitions(job.spec.count, executions);
  const completed = job.spec.count - new Set([...open, ...livePartitions(executions)]).size;
  if (completed === job.spec.count) {
    return [...lost, ...releaseSurplus(input, executions, open), { kind: 'SetJobState', state: 'Completed' }];
  }

  const verdict = retryVerdict(job, open, executions, now);
  if (verdict.kind === 'give-up') {
    return [
      ...stopAll({ ...input, executions }, now, 'cancelled'),
      ...lost,
      { kind: 'SetJobState', state: 'Failed', reason: verdict.reason },
    ];
  }
  const approvals = approve(executions);
  const surplus = releaseSurplus(input, executions, open);
  const placed = place({ ...input, executions }, verdict.ready, now);
  const waits: PlanAction[] =
    verdict.retryAt === undefined
      ? []
      : [{ kind: 'Requeue', trigger: 'job-retry', waitUntil: verdict.retryAt }];
  const running: PlanAction[] =
    job.state !== 'Running' && approvals.length > 0 ? [{ kind: 'SetJobState', state: 'Running' }] : [];
  return [...lost, ...approvals, ...running, ...placed, ...waits, ...surplus];
}

/** Ends everything that is not over: what nobody has bound itself to is rejected, the rest is cancelled. */
function stopAll(input: ReconcileInput, now: number, reason: ExitReason): readonly PlanAction[] {
  const actions: PlanAction[] = input.executions
    .filter((execution) => isLive(execution) && execution.desired !== 'Stopped')
    .map((execution) => stopOne(execution, now, reason));
  const { search } = input;
  if (search !== undefined && search.state !== 'closed')
    actions.push({ kind: 'CloseSearch', requestId: search.requestId });
  return actions;
}

/**
 * Before the commit point the requester's word ends it. After it the provider's serving list does that, so only the
 * desired state is written here; and a proposal whose answer is not known is such a case too.
 */
function stopOne(execution: Execution, now: number, reason: ExitReason): PlanAction {
  if (isCommitted(execution) || execution.contractId !== undefined) {
    const end: ExecutionEnd = { finishedAt: now, exitReason: reason, message: 'Stopped by the requester.' };
    return {
      kind: 'SetDesired',
      executionId: execution.id,
      desired: 'Stopped',
      observed: { state: 'Cancelled', ...ranOf(execution), end },
    };
  }
  return {
    kind: 'SetDesired',
    executionId: execution.id,
    desired: 'Stopped',
    observed: {
      state: 'BidRejected',
      end: { finishedAt: now, exitReason: reason, message: 'The bid was not used.' },
    },
  };
}

/** Executions whose provider is silent for too long, and those whose negotiation broke before the commit point. */
function markLost(
  input: ReconcileInput,
  now: number,
): readonly (PlanAction & { readonly kind: 'MarkLost' })[] {
  const lost: (PlanAction & { readonly kind: 'MarkLost' })[] = [];
  for (const execution of input.executions) {
    if (!isLive(execution) || execution.desired === 'Stopped') continue;
    const message = lossOf(execution, input, now);
    if (message === undefined) continue;
    const observed: Observed = {
      state: 'Failed',
      ...ranOf(execution),
      end: { finishedAt: now, exitReason: 'lost', message },
    };
    lost.push({ kind: 'MarkLost', executionId: execution.id, observed });
  }
  return lost;
}

function lossOf(execution: Execution, input: ReconcileInput, now: number): string | undefined {
  if (isCommitted(execution)) {
    const silentMs = now - execution.lastSeenAt;
    return silentMs > input.lostAfterMs
      ? `The provider was silent for ${Math.round(silentMs)} ms.`
      : undefined;
  }
  // A proposal may have been accepted: only its answer, a signed never or its own deadline settles that.
  if (execution.contractId !== undefined) return undefined;
  const current =
    input.search?.requestId === execution.requestId && input.openNegotiations.has(execution.provider);
  return current ? undefined : 'The negotiation ended before a contract was closed.';
}

/** The winner of a partition is told to run once it holds a lock. */
function approve(executions: readonly Execution[]): readonly PlanAction[] {
  return executions
    .filter(
      (execution) => execution.observed.state === 'AskForBidAccepted' && execution.desired === 'Pending',
    )
    .map((execution) => ({ kind: 'SetDesired', executionId: execution.id, desired: 'Running' }));
}

/** Once everything is under contract, the other bidders need not wait any longer. */
function releaseSurplus(
  input: ReconcileInput,
  executions: readonly Execution[],
  open: readonly number[],
): readonly PlanAction[] {
  const { search, openNegotiations } = input;
  if (search === undefined || openNegotiations.size === 0 || open.length > 0) return [];
  const settled = executions.every((execution) => !isLive(execution) || isCommitted(execution));
  return settled ? [{ kind: 'CloseSearch', requestId: search.requestId }] : [];
}

/** Puts the open partitions on the best bids that are left, or asks for bids again. */
function place(input: ReconcileInput, partitions: readonly number[], now: number): readonly PlanAction[] {
  if (partitions.length === 0) return [];
  const { job, search } = input;
  if (search !== undefined && search.state !== 'closed') return [];
  const picked =
    search === undefined
      ? []
      : pickCandidates(search, input.executions, input.openNegotiations, partitions.length);
  const actions: PlanAction[] = picked.map((candidate, index) => {
    const partition = partitions[index] ?? 0;
    const attempt =
      1 +
      Math.max(
        0,
        ...input.executions.filter((known) => known.partition === partition).map((known) => known.attempt),
      );
    const { lock } = candidate.bid.value;
    const execution: Execution = {
      id: executionIdOf(job.id, job.version, partition, attempt),
      jobId: job.id,
      jobVersion: job.version,
      partition,
      attempt,
      provider: candidate.provider,
      requestId: candidate.bid.value.requestId,
      bidId: candidate.bid.value.bidId,
      price: candidate.bid.value.price,
      createdAt: now,
      desired: 'Pending',
      observed: lock === undefined ? { state: 'New' } : { state: 'AskForBidAccepted', lock },
      sequence: 0,
      lastSeenAt: now,
    };
    return { kind: 'CreateExecution', execution };
  });
  const unplaced = partitions.length - picked.length;
  // Executions in negotiation may still need this round's bids: a new round starts when none is under way.
  const negotiating = input.executions.some((execution) => isLive(execution) && !isCommitted(execution));
  if (unplaced === 0 || picked.length > 0 || negotiating) return actions;
  return [...actions, ...searchAgain(input, unplaced, now)];
}

function searchAgain(input: ReconcileInput, slots: number, now: number): readonly PlanAction[] {
  const { job, search } = input;
  const exclude = job.spec.excludedProviders;
  if (search === undefined) {
    return [{ kind: 'StartSearch', round: 1, slots, exclude, fruitlessRounds: 1, fruitlessSince: now }];
  }
  const fruitful = input.executions.some(
    (known) => known.requestId === search.requestId && known.contractId !== undefined,
  );
  const start: PlanAction = {
    kind: 'StartSearch',
    round: search.round + 1,
    slots,
    exclude,
    fruitlessRounds: fruitful ? 1 : search.fruitlessRounds + 1,
    fruitlessSince: fruitful ? now : search.fruitlessSince,
  };
  // A round whose bids were used up or broken off is no shortage: it costs a round and not the queue's time.
  const hadBids = fruitful || search.index.entries.length > 0 || search.closeReason === 'interrupted';
  if (hadBids && start.fruitlessRounds <= input.maxSearchRounds) return [start];

  const queueDeadline = search.fruitlessSince + job.spec.timeouts.queueMs;
  if (now >= queueDeadline || job.spec.timeouts.queueMs === 0) {
    return [
      ...stopAll(input, now, 'cancelled'),
      { kind: 'SetJobState', state: 'Failed', reason: shortageReason(input) },
    ];
  }
  const nextSearchAt = Math.min(queueDeadline, (search.closedAt ?? now) + QUEUE_RETRY_MS);
  if (now >= nextSearchAt) return [start];
  const requeue: PlanAction = { kind: 'Requeue', trigger: 'job-queue', waitUntil: nextSearchAt };
  const idle = job.state !== 'Queued' && !input.executions.some(isLive);
  return idle
    ? [{ kind: 'SetJobState', state: 'Queued', reason: shortageReason(input) }, requeue]
    : [requeue];
}

/** How long a queued job waits between two searches. */
const QUEUE_RETRY_MS = 5000;

function shortageReason(input: ReconcileInput): string {
  const { search } = input;
  const declines = search?.index.declines ?? [];
  const refused = search?.index.refused ?? [];
  if (declines.length === 0 && refused.length === 0) {
    return search?.seenAtLeast === 0
      ? 'No provider could be reached. Start one with "bidmesh start", or join a network with --bootstrap.'
      : 'No provider made a bid in time.';
  }
  const counts = new Map<string, number>();
  for (const { decline } of declines) {
    const key = decline.field === undefined ? decline.code : `${decline.code} (${decline.field})`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  for (const { code } of refused) counts.set(code, (counts.get(code) ?? 0) + 1);
  const parts = [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, count]) => `${count} x ${code}`);
  return `No provider could take the job: ${parts.join(', ')}.`;
}

function openPartitions(count: number, executions: readonly Execution[]): readonly number[] {
  const taken = new Set(
    executions
      .filter((execution) => execution.observed.state === 'Completed' || isLive(execution))
      .map((execution) => execution.partition),
  );
  return Array.from({ length: count }, (_, partition) => partition).filter(
    (partition) => !taken.has(partition),
  );
}

function livePartitions(executions: readonly Execution[]): readonly number[] {
  const completed = new Set(
    executions.filter((e) => e.observed.state === 'Completed').map((e) => e.partition),
  );
  return executions.filter((e) => isLive(e) && !completed.has(e.partition)).map((e) => e.partition);
}

function apply(
  executions: readonly Execution[],
  lost: readonly { readonly executionId: string; readonly observed: Observed }[],
): readonly Execution[] {
  const ends = new Map(lost.map(({ executionId, observed }) => [executionId, observed]));
  return executions.map((execution) => {
    const observed = ends.get(execution.id);
    return observed === undefined ? execution : { ...execution, observed, desired: 'Stopped' };
  });
}

function ranOf(execution: Execution): { contractId?: string; startedAt?: number } {
  const { observed } = execution;
  if (observed.state === 'BidAccepted' || observed.state === 'Running' || observed.state === 'Publishing') {
    return {
      contractId: observed.contractId,
      ...(observed.startedAt === undefined ? {} : { startedAt: observed.startedAt }),
    };
  }
  return execution.contractId === undefined ? {} : { contractId: execution.contractId };
}
