import type { Evaluation } from '../../domain/job/evaluation.ts';
import { CodedError } from '../../lib/coded-error.ts';

/** Where an evaluation is inside the broker; `specs/states/evaluation.md` draws it. */
export type EvaluationState = 'delayed' | 'pending' | 'ready' | 'in-flight' | 'held-back';

const ARROWS: Readonly<Record<EvaluationState, readonly EvaluationState[]>> = {
  delayed: ['ready', 'pending'],
  pending: ['ready'],
  ready: ['in-flight'],
  'in-flight': ['held-back'],
  'held-back': ['ready'],
};

/** An evaluation that the broker holds. */
export class TrackedEvaluation {
  readonly evaluation: Evaluation;
  /** Order of arrival. */
  readonly sequence: number;
  #state: EvaluationState;
  #deliveries = 0;

  constructor(evaluation: Evaluation, sequence: number, state: 'delayed' | 'pending' | 'ready') {
    this.evaluation = evaluation;
    this.sequence = sequence;
    this.#state = state;
  }

  get state(): EvaluationState {
    return this.#state;
  }

  get deliveries(): number {
    return this.#deliveries;
  }

  /** Throws `EVALUATION_TRANSITION` where the state machine has no such arrow. */
  become(state: EvaluationState): void {
    if (!ARROWS[this.#state].includes(state)) {
      throw new CodedError(
        'EVALUATION_TRANSITION',
        `An evaluation that is ${this.#state} cannot become ${state}.`,
        { data: { evaluationId: this.evaluation.id, from: this.#state, to: state } },
      );
    }
    this.#state = state;
    if (state === 'in-flight') this.#deliveries += 1;
  }
}

/** Order of hand-over: highest priority, then oldest. */
export function compareReady(a: TrackedEvaluation, b: TrackedEvaluation): number {
  return (
    b.evaluation.priority - a.evaluation.priority ||
    a.evaluation.createdAt - b.evaluation.createdAt ||
    a.sequence - b.sequence
  );
}

/** Order of succession within a job: highest priority, then newest. */
export function compareSuccession(a: TrackedEvaluation, b: TrackedEvaluation): number {
  return (
    b.evaluation.priority - a.evaluation.priority ||
    b.evaluation.createdAt - a.evaluation.createdAt ||
    b.sequence - a.sequence
  );
}
