import { type Execution, isCommitted, isLive } from '../domain/execution.ts';
import { isTerminalJobState } from '../domain/job.ts';
import type { JobSnapshot } from '../domain/plan.ts';
import { type Clock, sleep } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import type { JobLogsOptions } from './index.ts';
import type { JobStore, LiveLogs, StoredFiles } from './ports.ts';

export interface JobLogsNeeds {
  readonly clock: Clock;
  readonly store: Pick<JobStore, 'snapshot' | 'watch' | 'contract'>;
  readonly live: LiveLogs;
  readonly files: StoredFiles;
}

/** After a live stream broke off while the work goes on. */
const READ_AGAIN_MS = 1000;

/**
 * The output of an execution from a byte offset: live from its provider while it runs, and from this node's own
 * store once it is over. Following starts before the job does and ends with it; a new attempt is read from its start.
 */
export async function* readJobLogs(
  jobId: string,
  options: JobLogsOptions,
  needs: JobLogsNeeds,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const changes = new Changes(jobId, needs.store, signal);
  const place: Place = { offset: options.from, executionId: undefined, over: false };
  try {
    while (!signal.aborted) {
      const changed = changes.next();
      const snapshot = await needs.store.snapshot(jobId);
      if (snapshot === undefined)
        throw new CodedError('JOB_NOT_FOUND', `There is no job ${jobId} on this node.`);
      const execution = pick(snapshot, options.executionId);
      moveTo(place, execution);
      if (execution !== undefined && !place.over) {
        yield* readOn(place, execution, options, needs, signal);
      }
      if (isLast(snapshot, execution, options)) return;
      const running = execution?.observed.state === 'Running';
      await (running ? Promise.race([changed, pause(needs.clock, signal)]) : changed);
    }
  } finally {
    changes.end();
  }
}

/** How far the reading is: which execution, from where, and whether it was read to its end. */
interface Place {
  offset: number;
  executionId: string | undefined;
  over: boolean;
}

function moveTo(place: Place, execution: Execution | undefined): void {
  if (execution === undefined || execution.id === place.executionId) return;
  if (place.executionId !== undefined) place.offset = 0;
  place.executionId = execution.id;
  place.over = false;
}

async function* readOn(
  place: Place,
  execution: Execution,
  options: JobLogsOptions,
  needs: JobLogsNeeds,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const stored = resultOf(execution);
  if (stored !== undefined) {
    yield* readStored(stored, options.stream, place.offset, needs.files);
    place.over = true;
  } else if (execution.observed.state === 'Running') {
    for await (const chunk of live(execution, options, place.offset, needs, signal)) {
      place.offset += chunk.length;
      yield chunk;
    }
  }
}

/** Whether nothing more can come of what was asked for. */
function isLast(
  { job }: JobSnapshot,
  execution: Execution | undefined,
  { follow, executionId }: JobLogsOptions,
): boolean {
  if (!follow || isTerminalJobState(job.state)) return true;
  if (execution === undefined || isLive(execution)) return false;
  return executionId !== undefined || execution.observed.state === 'Completed';
}

async function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    await sleep(clock, READ_AGAIN_MS, signal);
  } catch {
    // The loop sees that it is to end.
  }
}

async function* live(
  execution: Execution,
  options: JobLogsOptions,
  offset: number,
  needs: JobLogsNeeds,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const contract =
    execution.contractId === undefined ? undefined : await needs.store.contract(execution.contractId);
  if (contract === undefined) return;
  const { provider, providerRecord } = contract.terms.value;
  try {
    yield* needs.live.read(
      provider,
      providerRecord,
      contract.contractId,
      options.stream,
      offset,
      options.follow,
      signal,
    );
  } catch (error) {
    if (!options.follow) {
      throw new CodedError(
        'LOGS_UNAVAILABLE',
        'The provider that runs the job cannot be reached right now. Try again.',
        {
          cause: error,
        },
      );
    }
  }
}

async function* readStored(
  resultCid: string,
  stream: 'stdout' | 'stderr',
  offset: number,
  files: StoredFiles,
): AsyncIterable<Uint8Array> {
  const file = await files.open(resultCid, stream);
  let toSkip = offset;
  for await (const chunk of file?.bytes ?? []) {
    if (toSkip >= chunk.length) {
      toSkip -= chunk.length;
    } else {
      yield toSkip === 0 ? chunk : chunk.subarray(toSkip);
      toSkip = 0;
    }
  }
}

/** The one asked for; else the first partition's newest, what runs before what has ended. */
function pick(snapshot: JobSnapshot, executionId: string | undefined): Execution | undefined {
  if (executionId !== undefined) {
    const named = snapshot.executions.find((execution) => execution.id === executionId);
    if (named === undefined)
      throw new CodedError('EXECUTION_NOT_FOUND', `The job has no execution ${executionId}.`);
    return named;
  }
  const useful = snapshot.executions.filter(
    (execution) => isCommitted(execution) || resultOf(execution) !== undefined,
  );
  const [first] = useful.toSorted((a, b) => a.partition - b.partition || b.attempt - a.attempt);
  return first;
}

/** The content id of an execution's result where this node has it. */
function resultOf({ observed }: Execution): string | undefined {
  return observed.state === 'Completed' || observed.state === 'Failed' ? observed.resultCid : undefined;
}

/** One result for each partition that has any: that of the completed attempt, else of the newest. */
export function resultsOf(
  executions: readonly Execution[],
): readonly { executionId: string; partition: number; cid: string }[] {
  const best = new Map<number, Execution>();
  for (const execution of executions.toSorted((a, b) => a.attempt - b.attempt)) {
    if (resultOf(execution) === undefined) continue;
    if (best.get(execution.partition)?.observed.state === 'Completed') continue;
    best.set(execution.partition, execution);
  }
  return [...best.values()]
    .toSorted((a, b) => a.partition - b.partition)
    .flatMap((execution) => {
      const cid = resultOf(execution);
      return cid === undefined ? [] : [{ executionId: execution.id, partition: execution.partition, cid }];
    });
}

/** Commits of one job as something to wait for; a commit between two waits is not missed. */
class Changes {
  readonly #end: () => void;
  #wake: () => void = () => {};

  constructor(jobId: string, store: Pick<JobStore, 'watch'>, signal: AbortSignal) {
    const wake = (): void => this.#wake();
    const unwatch = store.watch(jobId, wake);
    signal.addEventListener('abort', wake, { once: true });
    this.#end = () => {
      unwatch();
      signal.removeEventListener('abort', wake);
    };
  }

  /** To be taken before looking at the job: it settles at the first commit from then on. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  end(): void {
    this.#end();
  }
}
