export interface WaitingSearch {
  readonly jobId: string;
  readonly requestId: string;
  readonly priority: number;
}

/** Searches without a slot: the highest priority first, then first come. A job has one at most. */
export class WaitingSearches {
  readonly #byPriority = new Map<number, Map<string, WaitingSearch>>();
  readonly #priorityOf = new Map<string, number>();

  get size(): number {
    return this.#priorityOf.size;
  }

  /** Takes the place of an earlier one of the same job. */
  add(waiting: WaitingSearch): void {
    this.remove(waiting.jobId);
    const line = this.#byPriority.get(waiting.priority) ?? new Map<string, WaitingSearch>();
    line.set(waiting.jobId, waiting);
    this.#byPriority.set(waiting.priority, line);
    this.#priorityOf.set(waiting.jobId, waiting.priority);
  }

  remove(jobId: string): void {
    const priority = this.#priorityOf.get(jobId);
    if (priority === undefined) return;
    this.#priorityOf.delete(jobId);
    const line = this.#byPriority.get(priority);
    line?.delete(jobId);
    if (line?.size === 0) this.#byPriority.delete(priority);
  }

  /** Takes the first one out. */
  take(): WaitingSearch | undefined {
    if (this.size === 0) return undefined;
    const [first] = this.#byPriority.get(Math.max(...this.#byPriority.keys()))?.values() ?? [];
    if (first !== undefined) this.remove(first.jobId);
    return first;
  }

  clear(): void {
    this.#byPriority.clear();
    this.#priorityOf.clear();
  }
}
