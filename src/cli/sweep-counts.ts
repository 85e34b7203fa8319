import type { JobEvent } from '../client/index.ts';

/** Unfinished is what a job that is over has of partitions that neither completed nor failed themselves. */
export type SweepPlace = 'waiting' | 'starting' | 'running' | 'completed' | 'failed' | 'unfinished';

const ORDER: readonly SweepPlace[] = ['waiting', 'starting', 'running', 'completed', 'failed', 'unfinished'];

/** Where an attempt is after an event of it. */
const PLACE_AFTER: Readonly<Record<string, SweepPlace>> = {
  'contract.accepted': 'starting',
  'execution.started': 'running',
  'execution.publishing': 'running',
  'execution.completed': 'completed',
  'execution.failed': 'waiting',
  'execution.lost': 'waiting',
  'execution.cancelled': 'waiting',
};

/** In which state the partitions of a job are, by its events. */
export class SweepCounts {
  readonly #count: number;
  readonly #places = new Map<number, { readonly executionId: string; readonly place: SweepPlace }>();
  /** Partitions whose newest attempt failed. */
  readonly #failed = new Set<number>();
  #over = false;
  #failedAttempts = 0;

  constructor(count: number) {
    this.#count = count;
  }

  /** Attempts that came to nothing; a partition may have several. */
  get failedAttempts(): number {
    return this.#failedAttempts;
  }

  get completed(): number {
    return [...this.#places.values()].filter(({ place }) => place === 'completed').length;
  }

  apply({ type, executionId, partition }: JobEvent): void {
    if (type === 'job.completed' || type === 'job.failed' || type === 'job.stopped') this.#over = true;
    if (type === 'execution.failed' || type === 'execution.lost') this.#failedAttempts += 1;
    const place = PLACE_AFTER[type];
    if (place === undefined || executionId === undefined || partition === undefined) return;
    const known = this.#places.get(partition);
    // The end of an attempt that another one has followed says nothing of its partition.
    if (known?.place === 'completed') return;
    if (place === 'waiting' && known !== undefined && known.executionId !== executionId) return;
    this.#places.set(partition, { executionId, place });
    if (type === 'execution.failed' || type === 'execution.lost') this.#failed.add(partition);
    else this.#failed.delete(partition);
  }

  /** The states that some partition is in, and how many; together they are all partitions. */
  places(): readonly (readonly [SweepPlace, number])[] {
    const counts = new Map<SweepPlace, number>();
    for (const { place } of this.#places.values()) counts.set(place, (counts.get(place) ?? 0) + 1);
    counts.set('waiting', (counts.get('waiting') ?? 0) + this.#count - this.#places.size);
    if (this.#over) {
      const completed = counts.get('completed') ?? 0;
      counts.clear();
      counts.set('completed', completed).set('failed', this.#failed.size);
      counts.set('unfinished', this.#count - completed - this.#failed.size);
    }
    return ORDER.map((place) => [place, counts.get(place) ?? 0] as const).filter(([, count]) => count > 0);
  }
}
