import { assert } from '../../lib/assert.ts';
import { backoffMs } from '../../lib/backoff.ts';
import type { Chance } from '../../lib/chance.ts';
import { type Clock, every, sleep, within } from '../../lib/clock.ts';
import { codeOf, messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Startable } from '../../lib/startable.ts';
import type { Delivery, EvaluationBroker, EvaluationType } from '../evaluations/broker-contract.ts';
import type { Evaluation } from '../../domain/job/evaluation.ts';
import type { WorkerOptions } from './worker-options.ts';

/** Brings one job nearer to what is wanted. */
export type Scheduler = (evaluation: Evaluation) => Promise<void>;

export interface WorkerNeeds {
  readonly broker: Pick<EvaluationBroker, 'dequeue' | 'ack' | 'nack' | 'extend'>;
  /** A plain lookup, which must not throw. */
  readonly schedulers: (type: EvaluationType) => Scheduler | undefined;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly logger: Logger;
}

/** Since the worker was made; they never go back. */
export interface WorkerCounters {
  /** Scheduled and acked. */
  readonly processed: number;
  /** Scheduling failed, took too long, was cut short by `stop`, or could not be acked. */
  readonly failures: number;
  /** Calls of `dequeue` that failed. */
  readonly brokerErrors: number;
}

/**
 * Takes evaluations from the broker and gives each to the scheduler of its job type: acks what succeeds and nacks
 * what does not. `stop` takes nothing new, and resolves when all work in hand is settled.
 */
export interface Worker extends Startable {
  counters(): WorkerCounters;
}

export function createWorker(options: WorkerOptions, needs: WorkerNeeds): Worker {
  return new EvaluationWorker(options, needs);
}

type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'overrun' }
  | { readonly kind: 'stopped' };

class EvaluationWorker implements Worker {
  readonly #options: WorkerOptions;
  readonly #needs: WorkerNeeds;
  readonly #counters = { processed: 0, failures: 0, brokerErrors: 0 };
  /** Ends the wait for work in hand; one for each piece of it. */
  readonly #cutShort = new Set<() => void>();
  #stopping: AbortController | undefined;
  #loops: Promise<unknown> = Promise.resolve();

  constructor(options: WorkerOptions, needs: WorkerNeeds) {
    this.#options = options;
    this.#needs = needs;
  }

  async start(): Promise<void> {
    assert(this.#stopping === undefined, 'a worker is started once until it is stopped');
    const stopping = new AbortController();
    this.#stopping = stopping;
    const loops = Array.from({ length: this.#options.concurrency }, () => this.#loop(stopping.signal));
    this.#loops = Promise.all(loops);
  }

  async stop(): Promise<void> {
    const stopping = this.#stopping;
    if (stopping !== undefined) {
      stopping.abort();
      await within(this.#needs.clock, this.#options.stopGraceMs, this.#loops, () => {
        for (const cut of this.#cutShort) cut();
      });
    }
    await this.#loops;
    if (this.#stopping === stopping) this.#stopping = undefined;
  }

  counters(): WorkerCounters {
    return { ...this.#counters };
  }

  async #loop(stopping: AbortSignal): Promise<void> {
    const { types, dequeueTimeoutMs } = this.#options;
    let failedInARow = 0;
    while (!stopping.aborted) {
      try {
        const delivery = await this.#needs.broker.dequeue(types, dequeueTimeoutMs, stopping);
        failedInARow = 0;
        if (delivery !== undefined) await this.#handle(delivery, stopping);
      } catch (error) {
        if (stopping.aborted) return;
        failedInARow += 1;
        this.#counters.brokerErrors += 1;
        await this.#backOff(error, failedInARow, stopping);
      }
    }
  }

  async #backOff(error: unknown, failedInARow: number, stopping: AbortSignal): Promise<void> {
    const delayMs = backoffMs(this.#options.backoff, failedInARow, this.#needs.chance);
    this.#needs.logger.warn('dequeue failed', { code: codeOf(error), error: messageOf(error), delayMs });
    try {
      await sleep(this.#needs.clock, delayMs, stopping);
    } catch {
      // Stopping cuts the wait short; the loop sees it.
    }
  }

  /** Whatever goes wrong here belongs to this one evaluation, so it is no reason to back off. */
  async #handle(delivery: Delivery, stopping: AbortSignal): Promise<void> {
    const { id, jobId, type } = delivery.evaluation;
    const scheduler = this.#needs.schedulers(type);
    if (scheduler === undefined) {
      this.#needs.logger.error('no scheduler for the job type', { evaluationId: id, jobId, type });
      this.#fail(delivery);
      return;
    }
    const outcome: Outcome = stopping.aborted
      ? { kind: 'stopped' }
      : await this.#schedule(scheduler, delivery);
    if (outcome.kind === 'done') {
      if (this.#settle('ack', delivery)) this.#counters.processed += 1;
      else this.#counters.failures += 1;
      return;
    }
    const error =
      outcome.kind === 'failed' ? { code: codeOf(outcome.error), error: messageOf(outcome.error) } : {};
    this.#needs.logger.warn('scheduling failed', {
      evaluationId: id,
      jobId,
      outcome: outcome.kind,
      deliveries: delivery.deliveries,
      ...error,
    });
    this.#fail(delivery);
  }

  async #schedule(scheduler: Scheduler, delivery: Delivery): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const cut = (): void => resolve({ kind: 'stopped' });
    this.#cutShort.add(cut);
    const extension = this.#keepVisible(delivery, () => resolve({ kind: 'overrun' }));
    Promise.try(scheduler, delivery.evaluation).then(
      () => resolve({ kind: 'done' }),
      (error: unknown) => resolve({ kind: 'failed', error }),
    );
    const outcome = await promise;
    extension.cancel();
    this.#cutShort.delete(cut);
    return outcome;
  }

  #keepVisible(delivery: Delivery, onOverrun: () => void): { cancel(): void } {
    const { clock, broker, logger } = this.#needs;
    const { id } = delivery.evaluation;
    const startedAtMs = clock.monotonicMs();
    return every(clock, this.#options.extendEveryMs, () => {
      if (clock.monotonicMs() - startedAtMs >= this.#options.longestWorkMs) {
        onOverrun();
        return;
      }
      try {
        broker.extend(id, delivery.receipt);
      } catch (error) {
        logger.warn('extension refused', { evaluationId: id, code: codeOf(error) });
      }
    });
  }

  #fail(delivery: Delivery): void {
    this.#counters.failures += 1;
    this.#settle('nack', delivery);
  }

  #settle(how: 'ack' | 'nack', { evaluation, receipt }: Delivery): boolean {
    try {
      this.#needs.broker[how](evaluation.id, receipt);
      return true;
    } catch (error) {
      this.#needs.logger.warn('settling refused', { evaluationId: evaluation.id, how, code: codeOf(error) });
      return false;
    }
  }
}
