import { z } from 'zod';
import { decodeCanonical, encodeCanonical } from '../../lib/canonical.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Startable } from '../../lib/startable.ts';
import { WriteBehind } from '../../lib/write-behind.ts';
import type { NodeNotes } from '../../domain/trust/peer-memory.ts';

export interface EstablishedDemandLimits {
  /** How long one question keeps a share for established requesters. */
  readonly activeMs: number;
  readonly writeDelayMs: number;
}

export interface EstablishedDemandNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Without it a restart forgets. */
  readonly notes?: NodeNotes;
}

const NAME = 'established-asked';
/** What is on disk is at most so much older than what is known, and a little. */
const WRITE_EVERY_MS = 60_000;

/**
 * Whether there is anybody to keep a share for: established requesters that have asked lately, this node itself among them. In time
 * that the node has lived, over restarts; a memory and not a promise.
 */
export class EstablishedDemand implements Startable {
  readonly #activeMs: number;
  readonly #needs: EstablishedDemandNeeds;
  readonly #writes: WriteBehind;
  #askedAt: number | undefined;
  #writtenAt = Number.NEGATIVE_INFINITY;

  constructor({ activeMs, writeDelayMs }: EstablishedDemandLimits, needs: EstablishedDemandNeeds) {
    this.#activeMs = activeMs;
    this.#needs = needs;
    this.#writes = new WriteBehind(writeDelayMs, {
      clock: needs.clock,
      write: async () => needs.notes?.put(NAME, encodeCanonical(this.#askedAt ?? 0)),
      onFailed: (error) =>
        needs.logger.warn('when established asked was not written', { reason: messageOf(error) }),
    });
  }

  async start(): Promise<void> {
    const { notes, logger } = this.#needs;
    try {
      const bytes = await notes?.get(NAME);
      if (bytes !== undefined) this.#askedAt = z.number().parse(decodeCanonical(bytes));
    } catch (error) {
      logger.warn('when established asked was not read', { reason: messageOf(error) });
    }
  }

  async stop(): Promise<void> {
    await this.#writes.flush();
  }

  /** An established requester asks for something, or has just become one by what it asked for before. */
  asked(): void {
    const now = this.#needs.clock.livedMs();
    this.#askedAt = now;
    if (now - this.#writtenAt < WRITE_EVERY_MS) return;
    this.#writtenAt = now;
    this.#writes.changed(NAME);
  }

  get isActive(): boolean {
    return this.#askedAt !== undefined && this.#needs.clock.livedMs() - this.#askedAt < this.#activeMs;
  }
}
