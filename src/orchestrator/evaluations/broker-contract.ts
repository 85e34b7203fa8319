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

/** An evaluation that failed in every delivery it was allowed. */
export interface DeadLetter {
  readonly evaluation: Evaluation;
  readonly deliveries: number;
}

export type StateCount = Readonly<Record<EvaluationState, number>>;

export interface BrokerStats {
  readonly enabled: boolean;
  readonly waitingDequeuers: number;
  /** What is held right now, by state. */
  readonly total: StateCount;
  readonly byType: Readonly<Record<EvaluationType, StateCount>>;
  /** Since the broker was made; they never go back. */
  readonly counters: {
    readonly acked: number;
    /** By their holder; those that ran out of time are in `timedOut`. */
    readonly nacked: number;
    readonly timedOut: number;
    readonly deadLettered: number;
    /** Cancelable evaluations that nobody took in time to make room for newer ones. */
    readonly cancelableDropped: number;
  };
}

/**
 * Hands evaluations to workers, at least once each. Of one job at most one evaluation is on its way (ready, in
 * flight or held back after a nack); later ones wait, and when that one is acked the best of them follows (highest
 * priority, then newest) while the others become cancelable: an evaluation looks at the job as it is, so the newest
 * does the work of all. Starts disabled.
 *
 * Every method is one synchronous step. Errors are a `CodedError` with a {@link BrokerErrorCode}.
 */
export interface EvaluationBroker {
  /** Disabling forgets everything, timers included, and ends each waiting dequeue with `BROKER_DISABLED`. */
  setEnabled(enabled: boolean): void;
  /** Nothing happens while disabled, and for an id that is held already. Throws `BROKER_FULL`. */
  enqueue(evaluation: Evaluation): void;
  /** All or, with `BROKER_FULL`, none. The best of them is handed out first, wherever it stands in the list. */
  enqueueAll(evaluations: readonly Evaluation[]): void;
  /**
   * Enqueues `evaluation`, which may be the very one in flight, when the delivery of `receipt` is acked; a nack
   * drops it. Throws `EVALUATION_NOT_IN_FLIGHT` when that delivery is over, `BROKER_FULL`.
   */
  requeueOnAck(evaluation: Evaluation, receipt: string): void;
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
  /** The job is over: its evaluations that are not on their way yet become cancelable. */
  forgetJob(jobId: string): void;
  /** Takes the oldest dead letter; its id may be enqueued again from then on. A job has one at most. */
  dequeueDeadLetter(): DeadLetter | undefined;
  /** Takes up to `max` evaluations that another one has made needless, oldest first. */
  cancelable(max: number): readonly Evaluation[];
  stats(): BrokerStats;
}

export interface BrokerNeeds {
  readonly clock: Clock;
  /** Fresh and never given before. */
  readonly newReceipt: () => string;
  readonly logger: Logger;
  /** Called when a dead letter has come in. */
  readonly onDeadLetter?: () => void;
}
