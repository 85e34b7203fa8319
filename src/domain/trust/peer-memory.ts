import { z } from 'zod';
import { decodeCanonical, encodeCanonical } from '../../lib/canonical.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Startable } from '../../lib/startable.ts';
import { WriteBehind } from '../../lib/write-behind.ts';

/** Small records by name, over restarts. */
export interface NodeNotes {
  get(name: string): Promise<Uint8Array | undefined>;
  /** Resolves when it is on disk. */
  put(name: string, value: Uint8Array): Promise<void>;
}

export interface PeerMemoryLimits {
  /** The one that was new, or named again, longest ago makes room. */
  readonly most: number;
  /** How long a new one may wait to be written. */
  readonly writeDelayMs: number;
}

export interface PeerMemoryNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly notes: NodeNotes;
  /** Each peer that is read at the start, in the order in which they were written. */
  readonly onRead?: (peer: string) => void;
}

const storedSchema = z.array(z.string());

/**
 * Peers that are remembered for one thing, over restarts. A memory and not a promise: a crash may lose its last moments,
 * and what cannot be read is begun anew.
 */
export class PeerMemory implements Startable {
  /** The record it is kept in, and what the log calls it. */
  readonly #name: string;
  readonly #most: number;
  readonly #needs: PeerMemoryNeeds;
  readonly #writes: WriteBehind;
  /** The one named longest ago first. */
  readonly #peers = new Set<string>();

  constructor(name: string, { most, writeDelayMs }: PeerMemoryLimits, needs: PeerMemoryNeeds) {
    this.#name = name;
    this.#most = most;
    this.#needs = needs;
    this.#writes = new WriteBehind(writeDelayMs, {
      clock: needs.clock,
      write: () => needs.notes.put(name, encodeCanonical([...this.#peers])),
      onFailed: (error) => needs.logger.warn(`${name} were not written`, { reason: messageOf(error) }),
    });
  }

  async start(): Promise<void> {
    const { notes, logger, onRead } = this.#needs;
    try {
      const bytes = await notes.get(this.#name);
      if (bytes === undefined) return;
      for (const peer of storedSchema.parse(decodeCanonical(bytes)).slice(-this.#most)) {
        this.#peers.add(peer);
        onRead?.(peer);
      }
    } catch (error) {
      logger.warn(`${this.#name} were not read`, { reason: messageOf(error) });
    }
  }

  async stop(): Promise<void> {
    await this.#writes.flush();
  }

  has(peer: string): boolean {
    return this.#peers.has(peer);
  }

  /** Only who is new is written: what is lost of the order costs the wrong one its place at the worst. */
  add(peer: string): void {
    const known = this.#peers.delete(peer);
    this.#peers.add(peer);
    if (known) return;
    for (const oldest of this.#peers) {
      if (this.#peers.size <= this.#most) break;
      this.#peers.delete(oldest);
    }
    this.#writes.changed(this.#name);
  }
}
