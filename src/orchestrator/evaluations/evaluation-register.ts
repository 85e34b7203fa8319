import type { Evaluation } from '../../domain/job/evaluation.ts';
import { assert } from '../../lib/assert.ts';
import { StateCounts } from './state-counts.ts';
import { type EvaluationState, TrackedEvaluation } from './tracked-evaluation.ts';

/** All evaluations of the broker by id: what is held, in which state, and which of it is needless. */
export class EvaluationRegister {
  readonly counts = new StateCounts();
  readonly #maxCancelable: number;
  readonly #held = new Map<string, TrackedEvaluation>();
  readonly #cancelable = new Map<string, TrackedEvaluation>();
  #sequence = 0;

  constructor(maxCancelable: number) {
    this.#maxCancelable = maxCancelable;
  }

  /** How many are still to be worked on or are dead letters. */
  get size(): number {
    return this.#held.size - this.#cancelable.size;
  }

  has(evaluationId: string): boolean {
    return this.#held.has(evaluationId);
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
    this.#cancelable.delete(id);
    this.counts.change(type, tracked.state, -1);
  }

  /** Puts it with the needless ones; gives how many older ones were dropped to make room. */
  setAside(tracked: TrackedEvaluation): number {
    this.move(tracked, 'cancelable');
    this.#cancelable.set(tracked.evaluation.id, tracked);
    const excess = this.#cancelable.size - this.#maxCancelable;
    return excess > 0 ? this.takeCancelable(excess).length : 0;
  }

  takeCancelable(max: number): readonly Evaluation[] {
    const taken: Evaluation[] = [];
    for (const tracked of this.#cancelable.values()) {
      if (taken.length >= max) break;
      this.remove(tracked);
      taken.push(tracked.evaluation);
    }
    return taken;
  }

  clear(): void {
    this.#held.clear();
    this.#cancelable.clear();
    this.counts.clear();
  }
}
