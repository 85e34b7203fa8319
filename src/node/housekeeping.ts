import type { ContentStore } from '../content/index.ts';
import { type Clock, every, type Timer } from '../lib/clock.ts';
import { messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import type { Startable } from '../lib/startable.ts';
import type { Store } from '../store/index.ts';
import type { RetentionOptions } from '../store/options.ts';

export interface HousekeepingNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly jobs: Pick<Store['jobs'], 'pruneFinished'>;
  readonly provider: Pick<Store['provider'], 'pruneEnded'>;
  readonly content: Pick<ContentStore, 'unpin'>;
}

/** Pins are let go of side by side: they share a batch. */
const UNPINNED_AT_ONCE = 64;

/**
 * Forgets what is over and old, a bounded part of it at each interval: finished jobs with the content they kept, and
 * a provider's ended contracts. What is open, or was not settled, is never looked at.
 */
export class Housekeeping implements Startable {
  readonly #options: RetentionOptions;
  readonly #needs: HousekeepingNeeds;
  /** Jobs and executions that are gone and may still keep content. */
  readonly #gone: string[] = [];
  #timer: Timer | undefined;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: RetentionOptions, needs: HousekeepingNeeds) {
    this.#options = options;
    this.#needs = needs;
  }

  async start(): Promise<void> {
    this.#timer = every(this.#needs.clock, this.#options.everyMs, () => {
      this.#running = this.#run();
      return this.#running;
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  /** Each of the two goes on at the next interval where it stopped; neither holds the other up. */
  async #run(): Promise<void> {
    await this.#repeat('finished jobs', () => this.#pruneJobs());
    await this.#repeat('ended contracts', () => this.#pruneContracts());
  }

  async #repeat(what: string, prune: () => Promise<{ readonly more: boolean }>): Promise<void> {
    try {
      for (let call = 0; call < this.#options.callsPerRun && !this.#stopped; call += 1) {
        if (!(await prune()).more) return;
      }
    } catch (error) {
      this.#needs.logger.warn(`${what} could not be removed`, { reason: messageOf(error) });
    }
  }

  /** The store names a job for the last time with the call before: first its content is let go of. */
  async #pruneJobs(): Promise<{ readonly more: boolean }> {
    const { jobs, logger } = this.#needs;
    await this.#unpin();
    const pruned = await jobs.pruneFinished(this.#options.finishedJobsMs, this.#options.finishedJobs);
    for (const owner of [pruned.jobIds, pruned.executionIds].flat()) this.#gone.push(owner);
    await this.#unpin();
    if (pruned.jobIds.length > 0) logger.debug('finished jobs removed', { jobs: pruned.jobIds.length });
    return pruned;
  }

  async #pruneContracts(): Promise<{ readonly more: boolean }> {
    const { provider, logger } = this.#needs;
    const pruned = await provider.pruneEnded(this.#options);
    if (pruned.forgotten > 0) logger.debug('ended contracts removed', { records: pruned.forgotten });
    return pruned;
  }

  async #unpin(): Promise<void> {
    while (this.#gone.length > 0) {
      const owners = this.#gone.slice(0, UNPINNED_AT_ONCE);
      await Promise.all(owners.map((owner) => this.#needs.content.unpin(owner)));
      this.#gone.splice(0, owners.length);
    }
  }
}
