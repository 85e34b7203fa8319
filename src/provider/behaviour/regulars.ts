import { z } from 'zod';
import { decodeCanonical, encodeCanonical } from '../../lib/canonical.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Startable } from '../../lib/startable.ts';
import { WriteBehind } from '../../lib/write-behind.ts';
import type { NodeNotes } from '../ports.ts';

export interface RegularsLimits {
  /** The one that was new, or named again, longest ago makes room. */
  readonly most: number;
  /** How long a new one may wait to be written. */
  readonly writeDelayMs: number;
}

export interface RegularsNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly notes: NodeNotes;
  /** Each requester that is read at the start, in the order in which they were written. */
  readonly onRead: (requester: string) => void;
}

const NAME = 'regulars';
const storedSchema = z.array(z.string());

/**
 * The requesters that kept contracts with this provider, over restarts. A memory and not a promise: a crash may lose
 * its last moments, and what cannot be read is begun anew.
 */
export class Regulars implements Startable {
  readonly #most: number;
  readonly #needs: RegularsNeeds;
  readonly #writes: WriteBehind;
  /** The one named longest ago first. */
  readonly #requesters = new Set<string>();

  constructor({ most, writeDelayMs }: RegularsLimits, needs: RegularsNeeds) {
    this.#most = most;
    this.#needs = needs;
    this.#writes = new WriteBehind(writeDelayMs, {
      clock: needs.clock,
      write: () => needs.notes.put(NAME, encodeCanonical([...this.#requesters])),
      onFailed: (error) => needs.logger.warn('regulars were not written', { reason: messageOf(error) }),
    });
  }

  async start(): Promise<void> {
    const { notes, logger, onRead } = this.#needs;
    try {
      const bytes = await notes.get(NAME);
      if (bytes === undefined) return;
      for (const requester of storedSchema.parse(decodeCanonical(bytes)).slice(-this.#most)) {
        this.#requesters.add(requester);
        onRead(requester);
      }
    } catch (error) {
      logger.warn('regulars were not read', { reason: messageOf(error) });
    }
  }

  async stop(): Promise<void> {
    await this.#writes.flush();
  }

  /** Only who is new is written: what is lost of the order costs the wrong one its place at the worst. */
  kept(requester: string): void {
    const known = this.#requesters.delete(requester);
    this.#requesters.add(requester);
    if (known) return;
    for (const oldest of this.#requesters) {
      if (this.#requesters.size <= this.#most) break;
      this.#requesters.delete(oldest);
    }
    this.#writes.changed(NAME);
  }
}
