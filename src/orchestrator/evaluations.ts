import type { EvaluationTrigger } from '../domain/job/evaluation.ts';
import type { Job } from '../domain/job/job.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import type { EvaluationBroker } from './evaluations/broker-contract.ts';

export interface EvaluationsNeeds {
  readonly broker: Pick<EvaluationBroker, 'enqueue'>;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly logger: Logger;
}

/** Has jobs looked at. What the broker does not take is kept and offered again: a wake-up is never lost. */
export class Evaluations {
  readonly #needs: EvaluationsNeeds;
  readonly #missed = new Map<string, Job>();

  constructor(needs: EvaluationsNeeds) {
    this.#needs = needs;
  }

  evaluate(job: Job, trigger: EvaluationTrigger, waitUntil?: number): void {
    const { broker, clock, logger, newId } = this.#needs;
    try {
      broker.enqueue({
        id: newId(),
        jobId: job.id,
        type: job.spec.type,
        priority: job.spec.priority,
        trigger,
        createdAt: clock.livedMs(),
        ...(waitUntil === undefined ? {} : { waitUntil }),
      });
    } catch (error) {
      logger.warn('an evaluation is put off', { jobId: job.id, trigger, reason: messageOf(error) });
      this.#missed.set(job.id, job);
    }
  }

  /** Offers again what was not taken. */
  repeatMissed(): void {
    const missed = [...this.#missed.values()];
    this.#missed.clear();
    for (const job of missed) this.evaluate(job, 'recovery');
  }
}
