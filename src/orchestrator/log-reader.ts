import { type Execution, type ExecutionEnd, isCommitted, isLive } from '../domain/market/execution.ts';
import { isTerminalJobState } from '../domain/job/job.ts';
import type { JobSnapshot } from '../domain/job/plan.ts';
import { type Clock, sleep } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import type { JobLogsOptions, LogPart } from './index.ts';
import type { JobChanges } from './job-changes.ts';
import { resultOf } from './job-results.ts';
import type { JobStore, LiveLogs, StoredFiles } from './ports.ts';

export interface JobLogsNeeds {
  readonly clock: Clock;
  readonly store: Pick<JobStore, 'snapshot' | 'watch' | 'contract'>;
  readonly live: LiveLogs;
  readonly files: StoredFiles;
}

/** How long the rest of an execution's output may take to come once the execution is over here. */
const LAST_WORDS_MS = 5000;

/** How far the reading of one execution is. */
interface Place {
  readonly executionId: string;
  readonly partition: number;
  readonly attempt: number;
  offset: number;
  /** The provider has sent all that was printed. */
  readOut: boolean;
  /** It was seen to run. */
  sawLive: boolean;
  overSinceMs: number | undefined;
  /** It is over, and the rest of its output may be on its way here. */
  awaited: boolean;
  /** Nothing more is to be read of it. */
  over: boolean;
}

/** Reads one attempt after the other, as far as it can at each look. */
export class LogReader {
  readonly #jobId: string;
  readonly #options: JobLogsOptions;
  readonly #needs: JobLogsNeeds;
  readonly #changes: JobChanges;
  readonly #signal: AbortSignal;
  #place: Place | undefined;
  #running = false;

  constructor(
    jobId: string,
    options: JobLogsOptions,
    needs: JobLogsNeeds,
    changes: JobChanges,
    signal: AbortSignal,
  ) {
    this.#jobId = jobId;
    this.#options = options;
    this.#needs = needs;
    this.#changes = changes;
    this.#signal = signal;
  }

  /** Whether to look again after a while, also when the job does not change. */
  get looksAgain(): boolean {
    return this.#running || this.#place?.awaited === true;
  }

  async look(): Promise<JobSnapshot> {
    const snapshot = await this.#needs.store.snapshot(this.#jobId);
    if (snapshot !== undefined) return snapshot;
    throw new CodedError('JOB_NOT_FOUND', `There is no job ${this.#jobId} on this node.`);
  }

  /** All that can be read now, over as many attempts as have come to their end. */
  async *advance(snapshot: JobSnapshot): AsyncGenerator<LogPart> {
    for (;;) {
      const execution = this.#choose(snapshot);
      if (execution === undefined) return;
      if (execution.id !== this.#place?.executionId) yield this.#moveTo(execution);
      const place = this.#place;
      if (place === undefined || place.over) return;
      this.#running = execution.observed.state === 'Running';
      yield* this.#readOn(place, execution);
      if (!place.over) return;
    }
  }

  /** The end, where nothing more can come of what was asked for. */
  endIn({ job, executions }: JobSnapshot): LogPart | undefined {
    const place = this.#place;
    const execution = executions.find(({ id }) => id === place?.executionId);
    const { follow, onwards = false } = this.#options;
    const goesOn = follow && !isTerminalJobState(job.state);
    if (place !== undefined && !place.over && (follow || place.awaited)) return undefined;
    const mayFollow = onwards && execution?.observed.state !== 'Completed';
    if (goesOn && (place === undefined || mayFollow)) return undefined;
    const end = execution === undefined ? undefined : endOf(execution);
    return {
      kind: 'end',
      jobState: job.state,
      ...(execution === undefined ? {} : { executionId: execution.id }),
      ...(end === undefined ? {} : { exitReason: end.exitReason }),
      ...(end?.exitCode === undefined ? {} : { exitCode: end.exitCode }),
    };
  }

  #choose({ executions }: JobSnapshot): Execution | undefined {
    const place = this.#place;
    if (place === undefined) return firstOf(executions, this.#options);
    if (!place.over) return executions.find(({ id }) => id === place.executionId);
    if (this.#options.onwards !== true) return undefined;
    const [next] = executions
      .filter(({ partition, attempt }) => partition === place.partition && attempt > place.attempt)
      .filter(hasRun)
      .toSorted((a, b) => a.attempt - b.attempt);
    return next;
  }

  #moveTo(execution: Execution): LogPart {
    const { id: executionId, partition, attempt, provider } = execution;
    const offset = this.#place === undefined ? this.#options.from : 0;
    const unread = { readOut: false, sawLive: false, overSinceMs: undefined, awaited: false, over: false };
    this.#place = { executionId, partition, attempt, offset, ...unread };
    return { kind: 'attempt', executionId, partition, attempt, provider, offset };
  }

  async *#readOn(place: Place, execution: Execution): AsyncGenerator<LogPart> {
    const { follow } = this.#options;
    const stored = resultOf(execution);
    const { state } = execution.observed;
    if (stored !== undefined) {
      yield* this.#output(place, readStored(stored, this.#options.stream, place.offset, this.#needs.files));
      place.over = true;
    } else if (!isLive(execution)) {
      yield* this.#readLast(place, execution);
    } else if (state === 'Running' && !place.readOut) {
      place.sawLive = true;
      yield* this.#readLive(place, execution);
    } else if (state === 'Publishing' && !follow) {
      throw new CodedError('LOGS_UNAVAILABLE', 'The output is on its way to this node. Try again.');
    }
  }

  /** What is left of an execution that ended without a result; that may still be on its way when it has just ended. */
  async *#readLast(place: Place, execution: Execution): AsyncGenerator<LogPart> {
    const { clock } = this.#needs;
    place.overSinceMs ??= clock.monotonicMs();
    const sinceMs = Math.min(
      place.sawLive ? clock.monotonicMs() - place.overSinceMs : Number.POSITIVE_INFINITY,
      Math.max(0, clock.livedMs() - (endOf(execution)?.finishedAt ?? 0)),
    );
    place.awaited = !place.readOut && hasBegun(execution) && sinceMs < LAST_WORDS_MS;
    if (place.awaited) return;
    place.over = true;
    if (!place.readOut && hasBegun(execution)) {
      yield { kind: 'missing', executionId: place.executionId, offset: place.offset };
    }
  }

  async *#readLive(place: Place, execution: Execution): AsyncGenerator<LogPart> {
    const { follow, stream } = this.#options;
    const { store, live } = this.#needs;
    const { contractId } = execution;
    const contract = contractId === undefined ? undefined : await store.contract(contractId);
    if (contract === undefined) return;
    const { provider, providerRecord } = contract.terms.value;
    const over = new AbortController();
    const signal = AbortSignal.any([this.#signal, over.signal]);
    if (follow) void this.#abortWhenOver(execution.id, over).catch(() => over.abort());
    try {
      const chunks = live.read(
        provider,
        providerRecord,
        contract.contractId,
        stream,
        place.offset,
        follow,
        signal,
      );
      yield* this.#output(place, chunks);
      place.readOut = follow && !signal.aborted;
    } catch (cause) {
      if (!follow) {
        const message = 'The provider that runs the job cannot be reached right now. Try again.';
        throw new CodedError('LOGS_UNAVAILABLE', message, { cause });
      }
    } finally {
      over.abort();
    }
  }

  /** A provider that is silent does not hold up who follows: what is over here is not read live for long. */
  async #abortWhenOver(executionId: string, over: AbortController): Promise<void> {
    const { signal } = over;
    while (!signal.aborted) {
      const changed = this.#changes.next();
      const { executions } = await this.look();
      const execution = executions.find(({ id }) => id === executionId);
      if (execution === undefined || !isLive(execution)) {
        const isHere = execution !== undefined && resultOf(execution) !== undefined;
        if (!isHere) await sleep(this.#needs.clock, LAST_WORDS_MS, signal).catch(() => undefined);
        over.abort();
        return;
      }
      await changed;
    }
  }

  async *#output(place: Place, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LogPart> {
    for await (const bytes of chunks) {
      if (bytes.length === 0) continue;
      const { executionId, offset } = place;
      place.offset += bytes.length;
      yield { kind: 'output', executionId, offset, bytes };
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

/** The one asked for; else the newest of its partition that ran. */
function firstOf(executions: readonly Execution[], options: JobLogsOptions): Execution | undefined {
  const { executionId, partition = 0 } = options;
  if (executionId !== undefined) {
    const named = executions.find(({ id }) => id === executionId);
    if (named !== undefined) return named;
    throw new CodedError('EXECUTION_NOT_FOUND', `The job has no execution ${executionId}.`);
  }
  const [newest] = executions
    .filter((execution) => execution.partition === partition && hasRun(execution))
    .toSorted((a, b) => b.attempt - a.attempt);
  return newest;
}

/** There is, or was, or will be, output of it. */
function hasRun(execution: Execution): boolean {
  return isCommitted(execution) || hasBegun(execution) || resultOf(execution) !== undefined;
}

function hasBegun({ observed }: Execution): boolean {
  return 'startedAt' in observed && observed.startedAt !== undefined;
}

function endOf({ observed }: Execution): ExecutionEnd | undefined {
  return 'end' in observed ? observed.end : undefined;
}
