import type { ContractTerms } from '../../domain/contract.ts';
import { moveContract } from '../../domain/contract.ts';
import type { ServingItem } from '../../domain/serving.ts';
import type { ExitReason } from '../../domain/task.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import { codeOf, messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Executor } from '../executors/executor.ts';
import type { ResourceLedger } from '../locks/ledger.ts';
import type { ProviderOptions } from '../options.ts';
import type {
  AttemptFolder,
  AttemptFolders,
  ProviderCommit,
  ProviderContent,
  ProviderExecution,
  ProviderStore,
} from '../ports.ts';
import { runAttempt, stageInputs } from './attempt.ts';
import type { ExecutionBook } from './execution-book.ts';

export interface SupervisorNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ledger: ResourceLedger;
  readonly store: Pick<ProviderStore, 'contract'>;
  readonly content: ProviderContent;
  readonly folders: AttemptFolders;
  readonly executor: Executor;
  readonly book: ExecutionBook;
  readonly onChanged: (requester: string) => void;
}

interface RunningAttempt {
  readonly abort: AbortController;
  readonly startTimer: Timer;
  readonly done: Promise<void>;
  folder: AttemptFolder | undefined;
  /** Why it was told to stop, where that was not the program's doing. */
  stopReason: ExitReason | undefined;
}

/** Carries an accepted contract through its attempt: fetch, run, keep the result, give the capacity back. */
export class Supervisor {
  readonly #options: ProviderOptions;
  readonly #needs: SupervisorNeeds;
  readonly #running = new Map<string, RunningAttempt>();

  constructor(options: ProviderOptions, needs: SupervisorNeeds) {
    this.#options = options;
    this.#needs = needs;
  }

  /** Starts the work of an execution that is on disk as BidAccepted. */
  async start(execution: ProviderExecution): Promise<void> {
    const { executionId } = execution.item;
    if (this.#running.has(executionId)) return;
    const contract = await this.#needs.store.contract(execution.item.contractId);
    if (contract === undefined) return;
    const terms = contract.terms.value;
    const abort = new AbortController();
    const startTimer = this.#needs.clock.after(terms.startWithinMs, () => this.stop(executionId, 'timeout'));
    const attempt: RunningAttempt = {
      abort,
      startTimer,
      folder: undefined,
      stopReason: undefined,
      done: Promise.resolve(),
    };
    this.#running.set(executionId, attempt);
    const done = this.#run(execution, terms, attempt).finally(() => {
      startTimer.cancel();
      this.#running.delete(executionId);
    });
    Object.assign(attempt, { done });
    await done;
  }

  /** Ends an attempt; what it leaves is reported with `reason`. */
  stop(executionId: string, reason: ExitReason): void {
    const attempt = this.#running.get(executionId);
    if (attempt === undefined) return;
    attempt.stopReason ??= reason;
    attempt.abort.abort();
  }

  folderOf(executionId: string): AttemptFolder | undefined {
    return this.#running.get(executionId)?.folder;
  }

  isRunning(executionId: string): boolean {
    return this.#running.has(executionId);
  }

  /** Ends every attempt and waits until their children are gone. */
  async stopAll(): Promise<void> {
    const attempts = [...this.#running.entries()];
    for (const [executionId] of attempts) this.stop(executionId, 'lost');
    await Promise.allSettled(attempts.map(([, attempt]) => attempt.done));
  }

  async #run(execution: ProviderExecution, terms: ContractTerms, attempt: RunningAttempt): Promise<void> {
    const { executionId } = execution.item;
    const { signal } = attempt.abort;
    try {
      await stageInputs(execution, terms, this.#options.limits.maxInputBytes, this.#needs.content, signal);
      signal.throwIfAborted();
      const folder = await this.#needs.folders.create(executionId);
      attempt.folder = folder;
      const { outcome, resultCid, resultBytes } = await runAttempt(
        execution,
        terms,
        folder,
        this.#options,
        this.#needs,
        { started: (process) => this.#started(execution, attempt, process) },
        signal,
      );
      await this.#needs.content.pin(resultCid, execution.item.contractId);
      const exitReason =
        outcome.exitReason === 'cancelled' ? (attempt.stopReason ?? 'cancelled') : outcome.exitReason;
      await this.#end(execution, {
        state:
          exitReason === 'completed' ? 'Publishing' : exitReason === 'cancelled' ? 'Cancelled' : 'Failed',
        exitReason,
        ...(outcome.exitCode === undefined ? {} : { exitCode: outcome.exitCode }),
        message: outcome.message,
        resultCid,
        resultBytes,
        usage: outcome.usage,
      });
    } catch (error) {
      await this.#failed(execution, attempt, error);
    } finally {
      await this.#needs.folders.remove(executionId);
    }
  }

  async #started(
    execution: ProviderExecution,
    attempt: RunningAttempt,
    process: { readonly pid: number; readonly startTimeTicks: number },
  ): Promise<void> {
    const { book, clock, store } = this.#needs;
    attempt.startTimer.cancel();
    await book.noteProcess(execution.item.executionId, process);
    const contract = await store.contract(execution.item.contractId);
    await book.move(
      execution.item.executionId,
      { state: 'Running', startedAt: clock.nowMs() },
      contract === undefined ? {} : { contracts: [moveContract(contract, 'ACTIVE', clock.nowMs())] },
    );
    this.#needs.onChanged(execution.requester);
  }

  async #failed(execution: ProviderExecution, attempt: RunningAttempt, error: unknown): Promise<void> {
    const unavailable = codeOf(error) === 'INPUT_UNAVAILABLE';
    const exitReason: ExitReason = attempt.stopReason ?? (unavailable ? 'input-unavailable' : 'internal');
    this.#needs.logger.debug('attempt failed', {
      executionId: execution.item.executionId,
      exitReason,
      reason: messageOf(error),
    });
    try {
      await this.#end(execution, {
        state: exitReason === 'cancelled' ? 'Cancelled' : 'Failed',
        exitReason,
        message: attempt.stopReason === 'timeout' ? 'The work did not start in time.' : messageOf(error),
      });
    } catch (storeError) {
      this.#needs.logger.error('the end of an attempt could not be written', {
        reason: messageOf(storeError),
      });
    }
  }

  /** The end of the attempt and the return of its capacity are one batch. */
  async #end(
    execution: ProviderExecution,
    end: Omit<
      ServingItem,
      'executionId' | 'contractId' | 'attempt' | 'sequence' | 'startedAt' | 'finishedAt'
    >,
  ): Promise<void> {
    const { book, clock, ledger } = this.#needs;
    const released = ledger.release(execution.lockId);
    const also: ProviderCommit = released === undefined ? {} : { leases: [released] };
    await book.move(execution.item.executionId, { ...end, finishedAt: clock.nowMs() }, also);
    this.#needs.onChanged(execution.requester);
  }
}
