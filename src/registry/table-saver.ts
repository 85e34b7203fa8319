import { type Clock, every, type Timer } from '../lib/clock.ts';
import { codeOf, messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import type { RegistryLimits } from './options.ts';
import type { PeerRow, PeerTable } from './peer-table.ts';
import type { AdvertStore } from './ports.ts';
import { type Touch, TOUCH } from './seen-providers.ts';

export interface TableSaverNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: AdvertStore;
  readonly table: PeerTable;
  readonly touchOf: (peer: string) => Touch;
}

/**
 * Writes the table's changes now and then, a batch at a time. What is not written when the node dies is told again by
 * the network; what cannot be written is tried again with the next batch.
 */
export class TableSaver {
  readonly #limits: RegistryLimits;
  readonly #needs: TableSaverNeeds;
  /** Never more than the table and what has left it since. */
  readonly #changed = new Set<string>();
  #timer: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(limits: RegistryLimits, needs: TableSaverNeeds) {
    this.#limits = limits;
    this.#needs = needs;
  }

  changed(peer: string): void {
    this.#changed.add(peer);
    // What is dropped stays on disk until it expires there.
    for (const oldest of this.#changed) {
      if (this.#changed.size <= 2 * this.#limits.maxPeers) break;
      this.#changed.delete(oldest);
    }
  }

  start(): void {
    this.#timer = every(this.#needs.clock, this.#limits.persistEveryMs, () => this.#saveBatch());
  }

  /** Writes the rest. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#writing;
    for (let before = this.#changed.size; before > 0; before = this.#changed.size) {
      await this.#saveBatch();
      if (this.#changed.size >= before) return;
    }
  }

  /** Who was only just heard of, and is known by nothing else, is told of again or not missed. */
  #outlivesRestarts({ peer, receivedAt, knownSince }: PeerRow): boolean {
    return (
      this.#needs.touchOf(peer) > TOUCH.none || receivedAt - knownSince >= this.#limits.newcomerValidityMs
    );
  }

  #saveBatch(): Promise<void> {
    this.#writing = this.#write();
    return this.#writing;
  }

  async #write(): Promise<void> {
    const { store, table, logger, touchOf } = this.#needs;
    const peers = [...this.#changed].slice(0, this.#limits.persistBatch);
    if (peers.length === 0) return;
    for (const peer of peers) this.#changed.delete(peer);
    const rows = peers.flatMap((peer) => table.get(peer) ?? []).filter((row) => this.#outlivesRestarts(row));
    const kept = new Set(rows.map(({ peer }) => peer));
    try {
      await store.write({
        kept: rows.map(({ peer, evidence, receivedAt, knownSince }) => ({
          evidence,
          receivedAt,
          knownSince,
          touch: touchOf(peer),
        })),
        forgotten: peers.filter((peer) => !kept.has(peer)),
      });
    } catch (error) {
      logger.debug('adverts were not written', { code: codeOf(error), error: messageOf(error) });
      for (const peer of peers) this.changed(peer);
    }
  }
}
