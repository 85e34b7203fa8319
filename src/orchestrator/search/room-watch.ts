import type { Job } from '../../domain/job/job.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import { type Random, randomFraction } from '../../lib/random.ts';

/** Of the jobs that wait, so many are told of freed room: one may not fit there, or another node may be faster. */
const WOKEN_PER_WORD = 4;
/** Words that come together do not wake more than this. */
const MOST_OWED = 16;
/** Between two that are woken. */
const WAKE_EVERY_MS = 50;
/** Many nodes hear of the same room: each waits a part of this before it asks for it. */
const LONGEST_SPREAD_MS = 200;

export interface RoomWatchNeeds {
  readonly clock: Clock;
  readonly random: Random;
  readonly evaluate: (job: Job, trigger: 'job-queue') => void;
}

/** A job, when it searched last (lived time), and whom it does not ask. */
interface Waiting {
  readonly job: Job;
  readonly searchedAt: number;
  readonly exclude: readonly string[];
}

/**
 * The jobs that wait for room, and the word that there may be some. It is passed on to a few of them at a time, the
 * highest priority first and then in turn: who comes to nothing waits behind the others again.
 */
export class RoomWatch {
  readonly #needs: RoomWatchNeeds;
  readonly #waiting = new Map<string, Waiting>();
  readonly #toldAt = new Map<string, number>();
  #word: { readonly at: number; readonly provider: string | undefined } | undefined;
  #owed = 0;
  #notBeforeMs = 0;
  #timer: Timer | undefined;

  constructor(needs: RoomWatchNeeds) {
    this.#needs = needs;
  }

  /** The job waits until its next search. */
  wait(job: Job, searchedAt: number, exclude: readonly string[] = []): void {
    if (!this.#waiting.has(job.id)) this.#waiting.set(job.id, { job, searchedAt, exclude });
    this.#arm();
  }

  /** It searches again, or is over. */
  leave(jobId: string): void {
    this.#waiting.delete(jobId);
    this.#toldAt.delete(jobId);
  }

  /** When the job was told of room, in lived time; undefined where it was not since its last search. */
  toldAt(jobId: string): number | undefined {
    return this.#toldAt.get(jobId);
  }

  /** Something has ended somewhere, or on `provider`. `everybodyKnows`: other nodes have heard of it as well. */
  freed(everybodyKnows: boolean, provider?: string): void {
    const { clock, random } = this.#needs;
    const spreadMs = everybodyKnows ? randomFraction(random) * LONGEST_SPREAD_MS : 0;
    if (this.#owed === 0) this.#notBeforeMs = Math.max(this.#notBeforeMs, clock.monotonicMs() + spreadMs);
    this.#word = { at: clock.livedMs(), provider };
    this.#owed = Math.min(MOST_OWED, this.#owed + WOKEN_PER_WORD);
    this.#arm();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#waiting.clear();
    this.#toldAt.clear();
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#owed === 0 || this.#waiting.size === 0) return;
    const delayMs = Math.max(0, this.#notBeforeMs - this.#needs.clock.monotonicMs());
    this.#timer = this.#needs.clock.after(delayMs, () => {
      this.#timer = undefined;
      this.#wakeNext();
      this.#arm();
    });
  }

  #wakeNext(): void {
    const { clock, evaluate } = this.#needs;
    let next: Job | undefined;
    for (const waiting of this.#waiting.values()) {
      const { job } = waiting;
      if (this.#concerns(waiting) && (next === undefined || job.spec.priority > next.spec.priority))
        next = job;
    }
    if (next === undefined) {
      this.#owed = 0;
      return;
    }
    this.#owed -= 1;
    this.#notBeforeMs = clock.monotonicMs() + WAKE_EVERY_MS;
    this.#waiting.delete(next.id);
    this.#toldAt.set(next.id, clock.livedMs());
    evaluate(next, 'job-queue');
  }

  /** Who has searched since the word came knows as much, and who does not ask that provider has nothing of it. */
  #concerns({ searchedAt, exclude }: Waiting): boolean {
    if (this.#word === undefined || searchedAt > this.#word.at) return false;
    return this.#word.provider === undefined || !exclude.includes(this.#word.provider);
  }
}
