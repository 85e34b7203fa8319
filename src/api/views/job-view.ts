import type { Execution, ExecutionEnd } from '../../domain/market/execution.ts';
import type { JobSnapshot } from '../../domain/job/plan.ts';
import type { Calendar } from '../../lib/calendar.ts';
import type { Execution as ExecutionView, Job as JobView, JobSummary } from '../../openapi/shapes/job.ts';
import { endSentence } from '../../words/end-words.ts';
import { jobSentence } from '../../words/job-words.ts';
import { decisiveExecutions, exitCodeOf, viewPartitions } from './partition-view.ts';
import { viewWhy } from './why-view.ts';

/** A list stays short, whatever the number of partitions. */
const MOST_PROVIDERS = 16;

export function viewJobSummary(snapshot: JobSnapshot, calendar: Calendar): JobSummary {
  const { job, executions } = snapshot;
  const decisive = decisiveExecutions(executions);
  const exitCode = exitCodeOf(snapshot, decisive);
  return {
    id: job.id,
    name: job.spec.name,
    type: job.spec.type,
    state: job.state,
    ...(job.why === undefined ? {} : { reason: jobSentence(job.why), why: viewWhy(job.why) }),
    count: job.spec.count,
    version: job.version,
    createdAt: calendar.isoTime(job.createdAt),
    ...(job.finishedAt === undefined ? {} : { finishedAt: calendar.isoTime(job.finishedAt) }),
    ...(exitCode === undefined ? {} : { exitCode }),
    providers: providersOf(executions),
    partitions: viewPartitions(snapshot, decisive),
  };
}

/** Who was given work, newest first. */
function providersOf(executions: readonly Execution[]): string[] {
  const contracted = executions.filter(({ observed }) => 'contractId' in observed && observed.contractId);
  const newestFirst = [...contracted].sort((a, b) => b.createdAt - a.createdAt || b.attempt - a.attempt);
  return [...new Set(newestFirst.map(({ provider }) => provider))].slice(0, MOST_PROVIDERS);
}

export function viewJob(snapshot: JobSnapshot, calendar: Calendar): JobView {
  return {
    ...viewJobSummary(snapshot, calendar),
    executions: [...snapshot.executions]
      .sort((a, b) => a.partition - b.partition || a.attempt - b.attempt)
      .map((execution) => viewExecution(execution, calendar)),
  };
}

function viewExecution(execution: Execution, calendar: Calendar): ExecutionView {
  const { observed } = execution;
  const startedAt = 'startedAt' in observed ? observed.startedAt : undefined;
  // A contract that was only proposed is not one yet: the observed state has it once it is closed.
  const contractId = 'contractId' in observed ? observed.contractId : undefined;
  const end = 'end' in observed ? viewEnd(observed.end, calendar) : {};
  return {
    id: execution.id,
    provider: execution.provider,
    partition: execution.partition,
    attempt: execution.attempt,
    observedState: observed.state,
    desiredState: execution.desired,
    ...(contractId === undefined ? {} : { contractId }),
    price: execution.price,
    ...(startedAt === undefined ? {} : { startedAt: calendar.isoTime(startedAt) }),
    ...end,
  };
}

function viewEnd(end: ExecutionEnd, calendar: Calendar): Partial<ExecutionView> {
  const message = endSentence(end.why);
  return {
    finishedAt: calendar.isoTime(end.finishedAt),
    exitReason: end.exitReason,
    ...(end.exitCode === undefined ? {} : { exitCode: end.exitCode }),
    ...(message === '' ? {} : { message }),
    why: viewWhy(end.why),
  };
}
