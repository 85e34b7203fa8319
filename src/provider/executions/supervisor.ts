import type { ContractTerms } from '../../domain/market/contract.ts';
import { moveContract } from '../../domain/market/contract.ts';
import type { ServingItem } from '../../domain/market/serving.ts';
import { contentRefsOf, type ExitReason } from '../../domain/program/task.ts';
import type { Clock } from '../../lib/clock.ts';
import { CodedError, codeOf, messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Executor } from '../task-driver.ts';
import type { ResourceLedger } from '../locks/ledger.ts';
import type { ProviderOptions } from '../options.ts';
import type {
  AttemptFolder,
  AttemptFolders,
  ProviderContent,
  ProviderExecution,
  ProviderStore,
} from '../ports.ts';
import type { Room } from '../resources/room.ts';
import { runAttempt, stageInputs, writeRefusal } from './attempt.ts';
import { BringingWatch } from './bringing.ts';
import type { ExecutionBook } from './execution-book.ts';
import type { Hearing } from './hearing.ts';
import type { StartTimes } from './start-times.ts';

export interface SupervisorNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ledger: Pick<ResourceLedger, 'release'>;
  readonly store: Pick<ProviderStore, 'contract'>;
  readonly content: ProviderContent;
  readonly folders: AttemptFolders;
  readonly executor: Executor;
  readonly book: ExecutionBook;
  readonly starts: Pick<StartTimes, 'saw'>;
  readonly room: Pick<Room, 'expect' | 'arrived' | 'refused'>;
  readonly onChanged: (requester: string) => void;
  /** What a contract needed to begin did not come from its requester. */
  readonly onNeverBegun?: (execution: ProviderExecution) => void;
  readonly hearing: Pick<Hearing, 'atMs' | 'heard'>;
}

/** Why an attempt was told to stop, where that was not the program's doing. */
export interface StopReason {
  readonly exitReason: ExitReason;
  readonly message: string;
}

interface RunningAttempt {
  readonly abort: AbortController;
  readonly done: Promise<void>;
  folder: AttemptFolder | undefined;
  stop: StopReason | undefined;
}

type End = Pick<
  ServingItem,
  'state' | 'exitReason' | 'exitCode' | 'message' | 'resultCid' | 'resultBytes' | 'usage'
>;

const NOT_STARTED: StopReason = { exitReason: 'internal', message: 'The work did not start in time.' };
const STOPPING: StopReason = { exitReason: 'lost', message: 'The provider was stopped while this ran.' };

/** Ends before the beginning that are the requester's doing. */
const WITHHELD: ReadonlySet<ExitReason> = new Set(['requester-away', 'input-unavailable']);

/** An executor that says when the program starts is how a crash is told from a start: one that does not is not believed. */
const UNBEGUN = {
  state: 'Failed',
  exitReason: 'internal',
  message: 'The work ended without having started.',
} as const;

/** Carries an accepted contract through its attempt: fetch, run, keep the result, give the capacity back. */
export class Supervisor {
  readonly #options: ProviderOptions;
  readonly #needs: SupervisorNeeds;
  readonly #running = new Map<string, RunningAttempt>();
  #stopped = false;

  constructor(options: ProviderOptions, needs: SupervisorNeeds) {
    this.#options = options;
    this.#needs = needs;
  }

  /** Starts the work of an execution that is on disk as BidAccepted; once it runs, a second start does nothing. */
  start(execution: ProviderExecution): void {
    const { executionId } = execution.item;
    if (this.#stopped || this.#running.has(executionId)) return;
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const attempt: RunningAttempt = {
      abort: new AbortController(),
      done,
      folder: undefined,
      stop: undefined,
    };
    this.#running.set(executionId, attempt);
    this.#carry(execution, attempt)
      .catch((error: unknown) => {
        this.#needs.logger.error('an attempt was not brought to its end', {
          executionId,
          reason: messageOf(error),
        });
      })
      .finally(() => {
        this.#running.delete(executionId);
        resolve();
      });
  }

  /** Ends an attempt; what it leaves is reported with `reason`. The first reason counts. */
  stop(executionId: string, reason: StopReason): void {
    const attempt = this.#running.get(executionId);
    if (attempt === undefined) return;
    attempt.stop ??= reason;
    attempt.abort.abort(new CodedError('STOPPED', reason.message));
  }

  folderOf(executionId: string): AttemptFolder | undefined {
    return this.#running.get(executionId)?.folder;
  }

  /** Ends every attempt and waits until their children are gone. What is accepted from now on starts in another life. */
  async stopAll(): Promise<void> {
    this.#stopped = true;
    const attempts = [...this.#running];
    for (const [executionId] of attempts) this.stop(executionId, STOPPING);
    await Promise.all(attempts.map(([, { done }]) => done));
  }

  async #carry(execution: ProviderExecution, attempt: RunningAttempt): Promise<void> {
    const { executionId } = execution.item;
    let end: End;
    try {
      end = await this.#run(execution, attempt);
    } catch (error) {
      end = failureOf(error, attempt.stop);
      const refusal = writeRefusal(error);
      if (refusal !== undefined) this.#needs.room.refused(refusal);
      const { exitReason } = end;
      this.#needs.logger.debug('attempt failed', { executionId, exitReason, reason: messageOf(error) });
    }
    this.#needs.room.arrived(executionId);
    const begun = this.#needs.book.get(executionId)?.item.state !== 'BidAccepted';
    if (!begun && end.exitReason !== undefined && WITHHELD.has(end.exitReason)) {
      this.#needs.onNeverBegun?.(execution);
    }
    await this.#end(execution, end);
    await this.#needs.folders.remove(executionId);
  }

  async #run(execution: ProviderExecution, attempt: RunningAttempt): Promise<End> {
    const { content, folders, clock } = this.#needs;
    const { executionId, contractId } = execution.item;
    const { signal } = attempt.abort;
    const { engine, inputs } = execution.invocation;
    this.#needs.room.expect(executionId, contentRefsOf(engine, inputs));
    const beganMs = clock.monotonicMs();
    const terms = await this.#termsOf(execution);
    const startTimer = clock.after(this.#startWithinMs(execution, terms), () =>
      this.stop(executionId, NOT_STARTED),
    );
    try {
      await this.#bringInputs(execution, terms, signal);
      this.#needs.room.arrived(executionId);
      const folder = await folders.create(executionId);
      attempt.folder = folder;
      const started = async (process: NonNullable<ProviderExecution['process']>): Promise<void> => {
        startTimer.cancel();
        await this.#started(execution, process);
        this.#needs.starts.saw(execution.invocation.engine.type, clock.monotonicMs() - beganMs);
      };
      const result = await runAttempt(
        execution,
        terms,
        folder,
        this.#options,
        this.#needs,
        { started },
        signal,
      );
      await content.pin(result.resultCid, contractId);
      return endOf(result, attempt.stop);
    } finally {
      startTimer.cancel();
    }
  }

  /** In this time alone does a contract need its requester: what is here begins without it. */
  async #bringInputs(execution: ProviderExecution, terms: ContractTerms, signal: AbortSignal): Promise<void> {
    const { limits } = this.#options;
    const { content, clock, hearing } = this.#needs;
    const { requester } = execution;
    const watch = new BringingWatch(limits, {
      clock,
      heardAtMs: () => hearing.atMs(requester),
      onHeard: () => hearing.heard(requester),
      onOver: (reason) => this.stop(execution.item.executionId, reason),
    });
    try {
      await stageInputs(execution, terms, limits.maxInputBytes, { content, clock, watch }, signal);
      signal.throwIfAborted();
    } finally {
      watch.stop();
    }
  }

  async #termsOf({ item }: ProviderExecution): Promise<ContractTerms> {
    const contract = await this.#needs.store.contract(item.contractId);
    if (contract === undefined) throw new CodedError('CONTRACT_UNKNOWN', 'The contract is not here.');
    return contract.terms.value;
  }

  /** Counted from the acceptance, also across a restart; clamped for records of a time when the clock could jump. */
  #startWithinMs({ acceptedAt }: ProviderExecution, { startWithinMs }: ContractTerms): number {
    const leftMs = acceptedAt + startWithinMs - this.#needs.clock.livedMs();
    return Math.min(startWithinMs, Math.max(0, leftMs));
  }

  async #started(
    execution: ProviderExecution,
    process: NonNullable<ProviderExecution['process']>,
  ): Promise<void> {
    const { book, clock, store } = this.#needs;
    const { executionId, contractId } = execution.item;
    const now = clock.livedMs();
    const contract = await store.contract(contractId);
    const contracts = contract === undefined ? [] : [moveContract(contract, 'ACTIVE', now)];
    await book.begin(executionId, process, now, { contracts });
    this.#needs.onChanged(execution.requester);
  }

  /** The end of the attempt and the return of its capacity are one batch. */
  async #end(execution: ProviderExecution, end: End): Promise<void> {
    const { book, clock, ledger } = this.#needs;
    const { executionId } = execution.item;
    const released = ledger.release(execution.lockId);
    const unbegun = end.state === 'Publishing' && book.get(executionId)?.item.state === 'BidAccepted';
    await book.move(
      executionId,
      { ...(unbegun ? { ...end, ...UNBEGUN } : end), finishedAt: clock.livedMs() },
      released === undefined ? {} : { leases: [released] },
    );
    this.#needs.onChanged(execution.requester);
  }
}

function endOf(
  { outcome, resultCid, resultBytes }: Awaited<ReturnType<typeof runAttempt>>,
  stop: StopReason | undefined,
): End {
  const stopped = outcome.exitReason === 'cancelled' ? stop : undefined;
  const exitReason = stopped?.exitReason ?? outcome.exitReason;
  return {
    state: stateAfter(exitReason),
    exitReason,
    ...(outcome.exitCode === undefined ? {} : { exitCode: outcome.exitCode }),
    message: stopped?.message ?? outcome.message,
    resultCid,
    resultBytes,
    usage: outcome.usage,
  };
}

function failureOf(error: unknown, stop: StopReason | undefined): End {
  const exitReason: ExitReason = codeOf(error) === 'INPUT_UNAVAILABLE' ? 'input-unavailable' : 'internal';
  const reason = stop ?? { exitReason, message: messageOf(error) };
  return { ...reason, state: stateAfter(reason.exitReason) };
}

function stateAfter(exitReason: ExitReason): End['state'] {
  if (exitReason === 'completed') return 'Publishing';
  return exitReason === 'cancelled' ? 'Cancelled' : 'Failed';
}
