import { type Execution, isCommitted } from '../domain/execution.ts';
import { isTerminalJobState } from '../domain/job.ts';
import type { JobSnapshot } from '../domain/plan.ts';
import { CodedError } from '../lib/coded-error.ts';
import type { JobLogsOptions } from './index.ts';
import type { JobStore, LiveLogs, StoredFiles } from './ports.ts';

export interface JobLogsNeeds {
  readonly store: Pick<JobStore, 'snapshot' | 'watch' | 'contract'>;
  readonly live: LiveLogs;
  readonly files: StoredFiles;
}

/**
 * The output of an execution from a byte offset: live from its provider while it runs, and from this node's own
 * store once it is over. Following starts before the job does and ends with it.
 */
export async function* readJobLogs(
  jobId: string,
  options: JobLogsOptions,
  needs: JobLogsNeeds,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  let offset = options.from;
  const changes = new Changes(jobId, needs.store, signal);
  try {
    yield* follow();
  } finally {
    changes.end();
  }

  async function* follow(): AsyncIterable<Uint8Array> {
    while (!signal.aborted) {
      const changed = changes.next();
      const snapshot = await needs.store.snapshot(jobId);
      if (snapshot === undefined)
        throw new CodedError('JOB_NOT_FOUND', `There is no job ${jobId} on this node.`);
      const execution = pick(snapshot, options.executionId);
      const stored = execution === undefined ? undefined : resultOf(execution);
      if (stored !== undefined) {
        yield* readStored(stored, options.stream, offset, needs.files);
        return;
      }
      if (execution !== undefined && execution.observed.state === 'Running') {
        for await (const chunk of live(execution, options, offset, needs, signal)) {
          offset += chunk.length;
          yield chunk;
        }
        if (!options.follow) return;
      } else if (!options.follow || isTerminalJobState(snapshot.job.state)) {
        return;
      }
      await changed;
    }
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
export function resultOf(execution: Execution): string | undefined {
  const { observed } = execution;
  return observed.state === 'Completed' || observed.state === 'Failed' ? observed.resultCid : undefined;
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
