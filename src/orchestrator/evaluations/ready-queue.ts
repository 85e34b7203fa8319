import { PriorityQueue } from '@datastructures-js/priority-queue';
import type { EvaluationType } from './broker-contract.ts';
import { type TrackedEvaluation, compareReady } from './tracked-evaluation.ts';

type TypeQueue = PriorityQueue<TrackedEvaluation>;

/** Evaluations that may be handed out, one heap per type. */
export class ReadyQueue {
  readonly #queues = new Map<EvaluationType, TypeQueue>();

  push(tracked: TrackedEvaluation): void {
    const { type } = tracked.evaluation;
    const queue = this.#queues.get(type);
    if (queue === undefined) this.#queues.set(type, new PriorityQueue(compareReady, [tracked]));
    else queue.enqueue(tracked);
  }

  /** Takes the first by {@link compareReady} over all of `types`. */
  take(types: readonly EvaluationType[]): TrackedEvaluation | undefined {
    let best: { readonly queue: TypeQueue; readonly front: TrackedEvaluation } | undefined;
    for (const type of types) {
      const queue = this.#queues.get(type);
      const front = queue?.front();
      if (queue === undefined || front === undefined || front === null) continue;
      if (best === undefined || compareReady(front, best.front) < 0) best = { queue, front };
    }
    return best?.queue.dequeue() ?? undefined;
  }

  clear(): void {
    this.#queues.clear();
  }
}
