import type { Evaluation, EvaluationTrigger } from '../domain/job/evaluation.ts';
import type { Job } from '../domain/job/job.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import type { EvaluationBroker } from './evaluations/broker-contract.ts';

export interface EvaluationDeskNeeds {
  readonly broker: Pick<EvaluationBroker, 'enqueue'>;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly logger: Logger;
}

/** Has jobs looked at. What the broker does not take is kept and offered again: a wake-up is never lost. */
export class EvaluationDesk {
  readonly #needs: EvaluationDeskNeeds;
  readonly #missed = new Map<string, Job>();

  constructor(needs: EvaluationDeskNeeds) {
    this.#needs = needs;
  }

  make(job: Job, trigger: EvaluationTrigger, waitUntil?: number): Evaluation {
    return {
      id: this.#needs.newId(),
      jobId: job.id,
      type: job.spec.type,
      priority: job.spec.priority,
      trigger,
      createdAt: this.#needs.clock.livedMs(),
      ...(waitUntil === undefined ? {} : { waitUntil }),
    };
  }

  evaluate(job: Job, trigger: EvaluationTrigger, waitUntil?: number): void {
    this.admit(job, this.make(job, trigger, waitUntil));
  }

  admit(job: Job, evaluation: Evaluation): void {
    try {
      this.#needs.broker.enqueue(evaluation);
    } catch (error) {
      const reason = messageOf(error);
      this.#needs.logger.warn('an evaluation is put off', {
        jobId: job.id,
        trigger: evaluation.trigger,
        reason,
      });
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
