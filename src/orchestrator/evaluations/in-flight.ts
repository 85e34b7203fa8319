import { assert } from '../../lib/assert.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import { CodedError } from '../../lib/coded-error.ts';
import type { BrokerErrorCode } from './broker-contract.ts';
import type { TrackedEvaluation } from './tracked-evaluation.ts';

export interface Flight {
  readonly tracked: TrackedEvaluation;
  readonly receipt: string;
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

  constructor(needs: InFlightNeeds) {
    this.#needs = needs;
  }

  begin(tracked: TrackedEvaluation, receipt: string): void {
    const { id } = tracked.evaluation;
    assert(!this.#byId.has(id), 'an evaluation is in one delivery at a time');
    this.#byId.set(id, { tracked, receipt, timer: this.#startTimer(id) });
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

  clear(): void {
    for (const flight of this.#byId.values()) flight.timer.cancel();
    this.#byId.clear();
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
  }

  #find(evaluationId: string, receipt: string): Flight {
    const flight = this.#byId.get(evaluationId);
    if (flight === undefined) {
      throw new CodedError<BrokerErrorCode>(
        'EVALUATION_NOT_IN_FLIGHT',
        'The delivery is over: it was settled, ran out of time, or the broker was disabled. Drop it.',
        { data: { evaluationId } },
      );
    }
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
