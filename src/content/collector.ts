import { type Clock, every, type Timer } from '../lib/clock.ts';
import { messageOf } from '../lib/coded-error.ts';
import type { KeyedLane } from '../lib/keyed-lane.ts';
import type { Logger } from '../lib/logger.ts';
import type { BlockStore } from './block-store.ts';
import type { ContentLimits } from './options.ts';
import type { ContentRecords } from './ports.ts';

/** With more of the quota in use than this, what was kept and is kept no more goes with the next run. */
const TIGHT_PERCENT = 50;

interface CollectorNeeds {
  readonly records: ContentRecords;
  readonly blocks: BlockStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Changes of one object, one at a time. */
  readonly lane: KeyedLane;
}

/** Throws away objects that nobody has kept or used for a while, a bounded number of blocks at a time. */
export class Collector {
  readonly #limits: ContentLimits;
  readonly #needs: CollectorNeeds;
  /** Monotonic time of the last use, by content id. */
  readonly #usedAt = new Map<string, number>();
  /** Objects that somebody kept in this life and nobody keeps any more. */
  readonly #letGo = new Set<string>();
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(limits: ContentLimits, needs: CollectorNeeds) {
    this.#limits = limits;
    this.#needs = needs;
  }

  /** Ages go on from where they were, within what a clock that jumped can do. */
  start(): void {
    const { records, clock } = this.#needs;
    for (const { cid, storedAt } of records.objects()) {
      const ageMs = Math.min(Math.max(clock.livedMs() - storedAt, 0), this.#limits.collectAfterMs);
      this.#usedAt.set(cid, clock.monotonicMs() - ageMs);
    }
    this.#timer = every(clock, this.#limits.collectEveryMs, () => {
      this.#running = this.#collect();
      return this.#running;
    });
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#running;
  }

  /** Lets the object's age begin again. */
  touch(cid: string): void {
    const { records, clock } = this.#needs;
    if (records.object(cid) !== undefined) this.#usedAt.set(cid, clock.monotonicMs());
  }

  /** Its last owner let go of the object. Unlike an upload whose job is still to be posted, nobody waits for it. */
  letGo(cid: string): void {
    this.touch(cid);
    if (this.#usedAt.has(cid)) this.#letGo.add(cid);
  }

  async #collect(): Promise<void> {
    const { records, lane, logger } = this.#needs;
    try {
      let removed = 0;
      for (const { cid } of records.objects()) {
        if (removed >= this.#limits.collectedBlocksPerRun) break;
        if (this.#mayGo(cid)) removed += await lane.run(cid, () => this.#drop(cid));
      }
      if (removed > 0) logger.debug('content collected', { blocks: removed });
    } catch (error) {
      logger.error('content could not be collected', { reason: messageOf(error) });
    }
  }

  #mayGo(cid: string): boolean {
    const { records, clock } = this.#needs;
    if (records.isPinned(cid)) return false;
    const { collectAfterMs, maxTotalBytes } = this.#limits;
    if (this.#letGo.has(cid) && records.bytes > (maxTotalBytes * TIGHT_PERCENT) / 100) return true;
    const usedAt = this.#usedAt.get(cid) ?? clock.monotonicMs();
    return clock.monotonicMs() - usedAt >= collectAfterMs;
  }

  /** Gives the number of blocks that are gone. What is being read or taken in stays until the next run. */
  async #drop(cid: string): Promise<number> {
    const { records, blocks, logger } = this.#needs;
    const object = records.object(cid);
    if (object === undefined || !this.#mayGo(cid)) return 0;
    if (object.blocks.some(([key]) => blocks.isHeld(key))) return 0;
    const own = records.ownBlocksOf(object);
    const dropped = records.commit([{ op: 'drop', cid }]).then(
      () => true,
      (error: unknown) => {
        logger.error('content could not be dropped', { cid, reason: messageOf(error) });
        return false;
      },
    );
    await blocks.remove(own, dropped);
    if (!(await dropped)) return 0;
    this.#usedAt.delete(cid);
    this.#letGo.delete(cid);
    return own.length + 1;
  }
}
