import { CodedError, codeOf, messageOf } from '../lib/coded-error.ts';
import { type Database, type Operation, storeClosed } from './database.ts';
import type { StoreLimits } from './options.ts';

export type CommitQueueLimits = Pick<
  StoreLimits,
  'waitingCommits' | 'waitingBytes' | 'batchOperations' | 'batchBytes' | 'commitOperations' | 'commitBytes'
>;

export interface CommitQueueNeeds {
  readonly database: Pick<Database, 'batch'>;
  /** What every batch that is written takes along, asked for at that moment. */
  readonly alongside?: () => readonly Operation[];
  /** Calls `write` when what is committed together has had the time to arrive. */
  readonly gather: (write: () => void) => void;
  /** Called once, with the first failure: nothing can be written any more. */
  readonly onFailure: (error: CodedError) => void;
}

interface Waiting {
  readonly operations: readonly Operation[];
  readonly bytes: number;
  readonly onDurable: () => void;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Group commit. One synced batch is written at a time; commits that arrive meanwhile go together into the next,
 * in the order of their arrival. After a failed batch nothing is known about the disk, so every later commit fails.
 */
export class CommitQueue {
  readonly #limits: CommitQueueLimits;
  readonly #needs: CommitQueueNeeds;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #writing = false;
  #stopGathering: (() => void) | undefined;
  #closed = false;
  #failure: CodedError | undefined;
  #idle: (() => void)[] = [];

  constructor(limits: CommitQueueLimits, needs: CommitQueueNeeds) {
    this.#limits = limits;
    this.#needs = needs;
  }

  /**
   * Resolves when the operations are on disk; `onDurable` is called just before, in the order of the commits, and
   * must not throw. Throws at once, so that nothing has changed: `STORE_BUSY`, `COMMIT_TOO_LARGE`, `STORE_FAILED`,
   * `STORE_CLOSED`. Rejects with `STORE_FAILED`. With `prompt` it does not wait for what else may come in this turn.
   */
  commit(operations: readonly Operation[], onDurable: () => void = () => {}, prompt = false): Promise<void> {
    const bytes = sizeOf(operations);
    this.#refuse(operations.length, bytes);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ operations, bytes, onDurable, resolve, reject });
      this.#waitingBytes += bytes;
      if (!this.#writing) void this.#write();
      if (prompt) this.#stopGathering?.();
    });
  }

  /** Takes no more commits and resolves when all that were taken are settled. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#writing) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #refuse(operations: number, bytes: number): void {
    const limits = this.#limits;
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed) throw storeClosed();
    if (operations > limits.commitOperations || bytes > limits.commitBytes) {
      throw new CodedError(
        'COMMIT_TOO_LARGE',
        `One change may have ${limits.commitOperations} records and ${limits.commitBytes} bytes. Make the job smaller.`,
        { data: { operations, bytes } },
      );
    }
    if (
      this.#waiting.length >= limits.waitingCommits ||
      this.#waitingBytes + bytes > Math.max(limits.waitingBytes, limits.commitBytes)
    ) {
      throw new CodedError('STORE_BUSY', 'Too many changes wait for the disk. Try again in a moment.', {
        data: { waiting: this.#waiting.length },
      });
    }
  }

  async #write(): Promise<void> {
    this.#writing = true;
    // What is committed in the same turn goes into the first batch too: a fact, and the plan that follows from it.
    await new Promise<void>((resolve) => {
      this.#stopGathering = resolve;
      this.#needs.gather(resolve);
    });
    this.#stopGathering = undefined;
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#needs.database.batch([...lastOfEachKey(group), ...(this.#needs.alongside?.() ?? [])]);
        for (const commit of group) commit.onDurable();
      } catch (error) {
        this.#fail(error, group);
        break;
      }
      for (const commit of group) commit.resolve();
    }
    this.#writing = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #takeGroup(): readonly Waiting[] {
    let operations = 0;
    let bytes = 0;
    let count = 0;
    for (const commit of this.#waiting) {
      operations += commit.operations.length;
      bytes += commit.bytes;
      if (count > 0 && (operations > this.#limits.batchOperations || bytes > this.#limits.batchBytes)) break;
      count += 1;
      this.#waitingBytes -= commit.bytes;
    }
    return this.#waiting.splice(0, count);
  }

  #fail(error: unknown, group: readonly Waiting[]): void {
    const failure = failureOf(error);
    this.#failure = failure;
    for (const commit of [...group, ...this.#waiting.splice(0)]) commit.reject(failure);
    this.#waitingBytes = 0;
    this.#needs.onFailure(failure);
  }
}

/** A batch is whole or not at all, so of several operations on one key only the last is worth writing. */
function lastOfEachKey(group: readonly Waiting[]): readonly Operation[] {
  const byKey = new Map<string, Operation>();
  for (const { operations } of group) for (const operation of operations) byKey.set(operation.key, operation);
  return [...byKey.values()];
}

function failureOf(error: unknown): CodedError {
  const message =
    codeOf(error) === 'STORE_FAILED'
      ? messageOf(error)
      : `A change could not be written (${messageOf(error)}). Start the node again.`;
  return new CodedError('STORE_FAILED', message, { cause: error });
}

function sizeOf(operations: readonly Operation[]): number {
  let bytes = 0;
  for (const operation of operations) {
    bytes += operation.key.length + (operation.type === 'put' ? operation.value.length : 0);
  }
  return bytes;
}
