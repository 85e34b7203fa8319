import { type Clock, within } from '../lib/clock.ts';
import { diskFull } from './block-store.ts';

/** Content leaves so much of the disk to the records of this node, without which it can neither go on nor say why. */
const RECORDS_RESERVE_BYTES = 8 * 1024 * 1024;

/** A look at the disk is believed, and waited for, no longer. */
const RESERVE_FRESH_MS = 500;

export interface DiskReserveNeeds {
  readonly clock: Clock;
  /** What may still be written on the disk; undefined where that cannot be told. */
  readonly freeBytes: () => Promise<number | undefined>;
}

/** Ends what would fill the disk before it is full. */
export class DiskReserve {
  readonly #needs: DiskReserveNeeds;
  #freeBytes: number | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  constructor(needs: DiskReserveNeeds) {
    this.#needs = needs;
  }

  /** Before `bytes` are written. Rejects with `DISK_FULL`. */
  async take(bytes: number): Promise<void> {
    if (this.#needs.clock.monotonicMs() - this.#lookedAtMs >= RESERVE_FRESH_MS) {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
      });
      await this.#looking;
    }
    if (this.#freeBytes === undefined) return;
    if (this.#freeBytes - bytes < RECORDS_RESERVE_BYTES) throw diskFull('ENOSPC');
    this.#freeBytes -= bytes;
  }

  async #look(): Promise<void> {
    const { clock, freeBytes } = this.#needs;
    const unknown = (): undefined => undefined;
    this.#freeBytes = await within(clock, RESERVE_FRESH_MS, freeBytes(), unknown).catch(unknown);
    this.#lookedAtMs = clock.monotonicMs();
  }
}
