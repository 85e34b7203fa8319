import type { Evaluation } from '../../domain/job/evaluation.ts';
import { assert } from '../../lib/assert.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import { CodedError } from '../../lib/coded-error.ts';
import type { BrokerErrorCode } from './broker-contract.ts';
import type { TrackedEvaluation } from './tracked-evaluation.ts';

export interface Flight {
  readonly tracked: TrackedEvaluation;
  readonly receipt: string;
  /** By id: what follows when the flight is acked. */
  readonly requeues: Map<string, Evaluation>;
  timer: Timer;
}

export interface InFlightNeeds {
  readonly clock: Clock;
  readonly visibilityTimeoutMs: number;
  /** Called when a flight was not settled in time; it is over by then. */
  readonly onTimeout: (flight: Flight) => void;
}

/** Deliveries that are not settled yet, each with its visibility timeout. */
export class InFlight {
  readonly #needs: InFlightNeeds;
  readonly #byId = new Map<string, Flight>();
  readonly #byReceipt = new Map<string, Flight>();
  #requeues = 0;

  constructor(needs: InFlightNeeds) {
    this.#needs = needs;
  }

  /** Evaluations that wait for the ack of another one. */
  get requeues(): number {
    return this.#requeues;
  }

  begin(tracked: TrackedEvaluation, receipt: string): void {
    const { id } = tracked.evaluation;
    assert(
      !this.#byId.has(id) && !this.#byReceipt.has(receipt),
      'a delivery has an id and a receipt of its own',
    );
    const flight: Flight = { tracked, receipt, requeues: new Map(), timer: this.#startTimer(id) };
    this.#byId.set(id, flight);
    this.#byReceipt.set(receipt, flight);
  }

  /** Throws `EVALUATION_NOT_IN_FLIGHT`, `RECEIPT_MISMATCH`. */
  end(evaluationId: string, receipt: string): Flight {
    const flight = this.#find(evaluationId, receipt);
    this.#remove(flight);
    return flight;
  }

  /** Throws as `end`. */
  extend(evaluationId: string, receipt: string): void {
    const flight = this.#find(evaluationId, receipt);
    flight.timer.cancel();
    flight.timer = this.#startTimer(evaluationId);
  }

  /** Throws `EVALUATION_NOT_IN_FLIGHT`. */
  requeuesOf(receipt: string): ReadonlyMap<string, Evaluation> {
    return this.#withReceipt(receipt).requeues;
  }

  /** Throws `EVALUATION_NOT_IN_FLIGHT`. */
  requeue(evaluation: Evaluation, receipt: string): void {
    const { requeues } = this.#withReceipt(receipt);
    if (requeues.has(evaluation.id)) return;
    requeues.set(evaluation.id, evaluation);
    this.#requeues += 1;
  }

  clear(): void {
    for (const flight of this.#byId.values()) flight.timer.cancel();
    this.#byId.clear();
    this.#byReceipt.clear();
    this.#requeues = 0;
  }

  #startTimer(evaluationId: string): Timer {
    return this.#needs.clock.after(this.#needs.visibilityTimeoutMs, () => {
      const flight = this.#byId.get(evaluationId);
      if (flight === undefined) return;
      this.#remove(flight);
      this.#needs.onTimeout(flight);
    });
  }

  #remove(flight: Flight): void {
    flight.timer.cancel();
    this.#byId.delete(flight.tracked.evaluation.id);
    this.#byReceipt.delete(flight.receipt);
    this.#requeues -= flight.requeues.size;
  }

  #withReceipt(receipt: string): Flight {
    const flight = this.#byReceipt.get(receipt);
    if (flight === undefined) throw notInFlight({ receipt });
    return flight;
  }

  #find(evaluationId: string, receipt: string): Flight {
    const flight = this.#byId.get(evaluationId);
    if (flight === undefined) throw notInFlight({ evaluationId });
    if (flight.receipt !== receipt) {
      throw new CodedError<BrokerErrorCode>(
        'RECEIPT_MISMATCH',
        'The evaluation was handed out again since. Only the newest receipt counts: drop this delivery.',
        { data: { evaluationId } },
      );
    }
    return flight;
  }
}

function notInFlight(data: Readonly<Record<string, unknown>>): CodedError<BrokerErrorCode> {
  return new CodedError(
    'EVALUATION_NOT_IN_FLIGHT',
    'The delivery is over: it was settled, ran out of time, or the broker was disabled. Drop it.',
    { data },
  );
}
