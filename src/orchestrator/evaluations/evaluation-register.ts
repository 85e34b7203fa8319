import type { Evaluation } from '../../domain/job/evaluation.ts';
import { assert } from '../../lib/assert.ts';
import { StateCounts } from './state-counts.ts';
import { type EvaluationState, TrackedEvaluation } from './tracked-evaluation.ts';

/** All evaluations that the broker holds, by id, and how many of them are in which state. */
export class EvaluationRegister {
  readonly counts = new StateCounts();
  readonly #held = new Map<string, TrackedEvaluation>();
  #sequence = 0;

  get size(): number {
    return this.#held.size;
  }

  has(evaluationId: string): boolean {
    return this.#held.has(evaluationId);
  }

  /** False for one that was dropped, also where its id has come again since. */
  holds(tracked: TrackedEvaluation): boolean {
    return this.#held.get(tracked.evaluation.id) === tracked;
  }

  add(evaluation: Evaluation, state: 'delayed' | 'pending' | 'ready'): TrackedEvaluation {
    assert(Number.isFinite(evaluation.priority), 'an evaluation has a finite priority');
    this.#sequence += 1;
    const tracked = new TrackedEvaluation(evaluation, this.#sequence, state);
    this.#held.set(evaluation.id, tracked);
    this.counts.change(evaluation.type, state, 1);
    return tracked;
  }

  move(tracked: TrackedEvaluation, state: EvaluationState): void {
    const { type } = tracked.evaluation;
    const before = tracked.state;
    tracked.become(state);
    this.counts.change(type, before, -1);
    this.counts.change(type, state, 1);
  }

  remove(tracked: TrackedEvaluation): void {
    const { id, type } = tracked.evaluation;
    this.#held.delete(id);
    this.counts.change(type, tracked.state, -1);
  }

  clear(): void {
    this.#held.clear();
    this.counts.clear();
  }
}
