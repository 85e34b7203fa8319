import type { Evaluation } from '../../domain/job/evaluation.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { EvaluationState } from './tracked-evaluation.ts';

export type EvaluationType = Evaluation['type'];

export type BrokerErrorCode =
  | 'BROKER_DISABLED'
  | 'BROKER_FULL'
  | 'EVALUATION_NOT_IN_FLIGHT'
  | 'RECEIPT_MISMATCH';

/** One hand-over of an evaluation. Only the holder of its newest receipt may settle it. */
export interface Delivery {
  readonly evaluation: Evaluation;
  readonly receipt: string;
  /** How often it was handed over, this time included. */
  readonly deliveries: number;
}

export type StateCount = Readonly<Record<EvaluationState, number>>;

export interface BrokerStats {
  /** Calls of `dequeue` that wait: hands that are free. */
  readonly waitingDequeuers: number;
  /** What is held right now. */
  readonly byType: Readonly<Record<EvaluationType, StateCount>>;
  /** Since the broker was made; they never go back. */
  readonly counters: {
    readonly acked: number;
    /** By their holder; those that ran out of time are in `timedOut`. */
    readonly nacked: number;
    readonly timedOut: number;
    readonly deadLettered: number;
    /** Needless before anybody took them: another one does their work, or their job is over. */
    readonly superseded: number;
  };
}

/**
 * Hands evaluations to workers, at least once each. Of one job at most one evaluation is on its way (ready, in
 * flight or held back after a nack); later ones wait, and when that one is acked the best of them follows (highest
 * priority, then newest) while the others are dropped: an evaluation looks at the job as it is, so the newest does the
 * work of all. Starts disabled.
 *
 * Every method is one synchronous step. Errors are a `CodedError` with a {@link BrokerErrorCode}.
 */
export interface EvaluationBroker {
  /** Disabling forgets everything, timers included, and ends each waiting dequeue with `BROKER_DISABLED`. */
  setEnabled(enabled: boolean): void;
  /** Nothing happens while disabled, and for an id that is held already. Throws `BROKER_FULL`. */
  enqueue(evaluation: Evaluation): void;
  /**
   * The first by priority, then by age, over all of `types`. Resolves with `undefined` after `timeoutMs` (0 waits
   * without end). Rejects with `BROKER_DISABLED`, or with the reason of `signal`.
   */
  dequeue(
    types: readonly EvaluationType[],
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<Delivery | undefined>;
  /** The evaluation is done. Throws `EVALUATION_NOT_IN_FLIGHT`, `RECEIPT_MISMATCH`. */
  ack(evaluationId: string, receipt: string): void;
  /** It failed: it comes again after a growing delay, until its deliveries are used up. Throws as `ack`. */
  nack(evaluationId: string, receipt: string): void;
  /** Starts the visibility timeout anew. Throws as `ack`. */
  extend(evaluationId: string, receipt: string): void;
  /** The job is over: its evaluations that are not on their way yet are dropped. */
  forgetJob(jobId: string): void;
  stats(): BrokerStats;
}

export interface BrokerNeeds {
  readonly clock: Clock;
  /** Fresh and never given before. */
  readonly newReceipt: () => string;
  readonly logger: Logger;
  /** Called with an evaluation that failed in every delivery it was allowed; the broker holds it no more. */
  readonly onDeadLetter: (evaluation: Evaluation) => void;
}
