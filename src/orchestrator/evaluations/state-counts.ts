import type { BrokerStats, EvaluationType } from './broker-contract.ts';
import type { EvaluationState } from './tracked-evaluation.ts';

type Counts = Record<EvaluationState, number>;

function noCounts(): Counts {
  return { delayed: 0, pending: 0, ready: 0, 'in-flight': 0, 'held-back': 0 };
}

/** How many evaluations are in which state, kept up with each change so that reading costs nothing. */
export class StateCounts {
  #byType = { batch: noCounts(), service: noCounts(), ops: noCounts(), daemon: noCounts() };

  change(type: EvaluationType, state: EvaluationState, by: 1 | -1): void {
    this.#byType[type][state] += by;
  }

  byType(): BrokerStats['byType'] {
    const { batch, service, ops, daemon } = this.#byType;
    return { batch: { ...batch }, service: { ...service }, ops: { ...ops }, daemon: { ...daemon } };
  }

  clear(): void {
    this.#byType = { batch: noCounts(), service: noCounts(), ops: noCounts(), daemon: noCounts() };
  }
}
