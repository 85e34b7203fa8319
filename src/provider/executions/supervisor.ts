import type { ContractTerms } from '../../domain/market/contract.ts';
import { moveContract } from '../../domain/market/contract.ts';
import { contentRefsOf, type ExitReason } from '../../domain/program/task.ts';
import type { Chance } from '../../lib/chance.ts';
import type { Clock } from '../../lib/clock.ts';
import { CodedError, messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { ResourceLedger } from '../locks/ledger.ts';
import type { ProviderOptions } from '../options.ts';
import type {
  AttemptFolder,
  AttemptFolders,
  ProviderContent,
  ProviderExecution,
  ProviderStore,
  TaskHandle,
} from '../ports.ts';
import type { Room } from '../resources/room.ts';
import type { RunningTask, TaskDriver, TaskLoad } from '../task-driver.ts';
import { finishTask, startTask } from './attempt.ts';
import { type End, endOf, failureOf, type StopReason } from './attempt-end.ts';
import { BringingWatch } from './bringing.ts';
import type { LiveExecutions } from './live-executions.ts';
import type { Hearing } from './hearing.ts';
import { stageInputs, writeRefusal } from './staging.ts';
import type { StartTimes } from './start-times.ts';

export interface SupervisorNeeds {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly logger: Logger;
  readonly ledger: Pick<ResourceLedger, 'release'>;
  readonly store: Pick<ProviderStore, 'contract'>;
  readonly content: ProviderContent;
  readonly folders: AttemptFolders;
  readonly drivers: readonly TaskDriver[];
  readonly live: LiveExecutions;
  readonly starts: Pick<StartTimes, 'saw'>;
  readonly room: Pick<Room, 'expect' | 'arrived' | 'refused'>;
  readonly onChanged: (requester: string) => void;
  /** What a contract needed to begin did not come from its requester. */
  readonly onNeverBegun?: (execution: ProviderExecution) => void;
  readonly hearing: Pick<Hearing, 'atMs' | 'heard'>;
}

/** A task that outlived the node that had started it. */
export interface ResumedTask {
  readonly task: RunningTask;
  readonly folder: AttemptFolder;
}

interface RunningAttempt {
  readonly abort: AbortController;
  readonly done: Promise<void>;
  folder: AttemptFolder | undefined;
  task: RunningTask | undefined;
  stop: StopReason | undefined;
}

const NOT_STARTED: StopReason = { exitReason: 'internal', message: 'The work did not start in time.' };
const STOPPING: StopReason = { exitReason: 'lost', message: 'The provider was stopped while this ran.' };

/** Ends before the beginning that are the requester's doing. */
const WITHHELD: ReadonlySet<ExitReason> = new Set(['requester-away', 'input-unavailable']);

/** A driver that says when the program starts is how a crash is told from a start: one that does not is not believed. */
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
    this.#begin(execution, (attempt) => this.#run(execution, attempt));
  }

  /** Takes up the work of an execution that went on while this node was away. */
  resume(execution: ProviderExecution, { task, folder }: ResumedTask): void {
    this.#begin(execution, (attempt) => {
      attempt.folder = folder;
      return this.#finish(execution, task, folder, attempt);
    });
  }

  #begin(execution: ProviderExecution, work: (attempt: RunningAttempt) => Promise<End>): void {
    const { executionId } = execution.item;
    if (this.#stopped || this.#running.has(executionId)) return;
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const attempt: RunningAttempt = {
      abort: new AbortController(),
      done,
      folder: undefined,
      task: undefined,
      stop: undefined,
    };
    this.#running.set(executionId, attempt);
    this.#carry(execution, attempt, () => work(attempt))
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

  /** What the tasks that run now take. */
  async tasks(): Promise<readonly TaskLoad[]> {
    const tasks = [...this.#running.values()].flatMap(({ task }) => (task === undefined ? [] : [task]));
    const loads = await Promise.all(
      tasks.map(async (task) => ({ engine: task.handle.engine, stats: await task.stats() })),
    );
    return loads.flatMap(({ engine, stats }) => (stats === undefined ? [] : [{ engine, ...stats }]));
  }

  /** Ends every attempt and waits until their children are gone. What is accepted from now on starts in another life. */
  async stopAll(): Promise<void> {
    this.#stopped = true;
    const attempts = [...this.#running];
    for (const [executionId] of attempts) this.stop(executionId, STOPPING);
    await Promise.all(attempts.map(([, { done }]) => done));
  }

  async #carry(
    execution: ProviderExecution,
    attempt: RunningAttempt,
    work: () => Promise<End>,
  ): Promise<void> {
    const { executionId } = execution.item;
    let end: End;
    try {
      end = await work();
    } catch (error) {
      end = failureOf(error, attempt.stop);
      const refusal = writeRefusal(error);
      if (refusal !== undefined) this.#needs.room.refused(refusal);
      const { exitReason } = end;
      this.#needs.logger.debug('attempt failed', { executionId, exitReason, reason: messageOf(error) });
    }
    this.#needs.room.arrived(executionId);
    const begun = this.#needs.live.get(executionId)?.item.state !== 'BidAccepted';
    if (!begun && end.exitReason !== undefined && WITHHELD.has(end.exitReason)) {
      this.#needs.onNeverBegun?.(execution);
    }
    await this.#end(execution, end);
    await this.#needs.folders.remove(executionId);
  }

  async #run(execution: ProviderExecution, attempt: RunningAttempt): Promise<End> {
    const { content, folders, clock } = this.#needs;
    const { limits } = this.#options;
    const { executionId } = execution.item;
    const { signal } = attempt.abort;
    const { engine, inputs } = execution.invocation;
    const driver = this.#driverOf(engine.type);
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
      const started = async (handle: TaskHandle): Promise<void> => {
        startTimer.cancel();
        await this.#started(execution, handle);
        this.#needs.starts.saw(engine.type, clock.monotonicMs() - beganMs);
      };
      const start = { execution, terms, folder, limits, content, driver, started };
      const task = await startTask(start, signal);
      return await this.#finish(execution, task, folder, attempt);
    } finally {
      startTimer.cancel();
    }
  }

  async #finish(
    execution: ProviderExecution,
    task: RunningTask,
    folder: AttemptFolder,
    attempt: RunningAttempt,
  ): Promise<End> {
    const { content } = this.#needs;
    attempt.task = task;
    try {
      const result = await finishTask(task, folder, content, attempt.abort.signal);
      await content.pin(result.resultCid, execution.item.contractId);
      return endOf(result, attempt.stop);
    } finally {
      await this.#destroy(task, execution.item.executionId);
    }
  }

  /** What its engine does not let go of is found again at the next start: no result waits for that. */
  async #destroy({ handle }: RunningTask, executionId: string): Promise<void> {
    try {
      await this.#driverOf(handle.engine).destroy(handle);
    } catch (error) {
      const reason = messageOf(error);
      this.#needs.logger.warn('what a task left behind was not removed', { executionId, reason });
    }
  }

  #driverOf(type: string): TaskDriver {
    const driver = this.#needs.drivers.find(({ engine }) => engine === type);
    if (driver === undefined) throw new CodedError('ENGINE_UNKNOWN', `This node has no engine ${type}.`);
    return driver;
  }

  /** In this time alone does a contract need its requester: what is here begins without it. */
  async #bringInputs(execution: ProviderExecution, terms: ContractTerms, signal: AbortSignal): Promise<void> {
    const { limits } = this.#options;
    const { content, clock, chance, hearing } = this.#needs;
    const { requester } = execution;
    const watch = new BringingWatch(limits, {
      clock,
      heardAtMs: () => hearing.atMs(requester),
      onHeard: () => hearing.heard(requester),
      onOver: (reason) => this.stop(execution.item.executionId, reason),
    });
    try {
      await stageInputs(execution, terms, limits.maxInputBytes, { content, clock, chance, watch }, signal);
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

  async #started(execution: ProviderExecution, handle: TaskHandle): Promise<void> {
    const { live, clock, store } = this.#needs;
    const { executionId, contractId } = execution.item;
    const now = clock.livedMs();
    const contract = await store.contract(contractId);
    const contracts = contract === undefined ? [] : [moveContract(contract, 'ACTIVE', now)];
    await live.begin(executionId, handle, now, { contracts });
    this.#needs.onChanged(execution.requester);
  }

  /** The end of the attempt and the return of its capacity are one batch. */
  async #end(execution: ProviderExecution, end: End): Promise<void> {
    const { live, clock, ledger } = this.#needs;
    const { executionId } = execution.item;
    const released = ledger.release(execution.lockId);
    const unbegun = end.state === 'Publishing' && live.get(executionId)?.item.state === 'BidAccepted';
    await live.move(
      executionId,
      { ...(unbegun ? { ...end, ...UNBEGUN } : end), finishedAt: clock.livedMs() },
      released === undefined ? {} : { leases: [released] },
    );
    this.#needs.onChanged(execution.requester);
  }
}
