import type { ContentRef } from '../../domain/program/task.ts';
import { type Clock, within } from '../../lib/clock.ts';
import { codeOf } from '../../lib/coded-error.ts';
import type { AttemptFolders, DiskGauge, ProviderContent } from '../ports.ts';

/** A look at the disk is believed for so long, and waited for no longer. */
const LOOK_FRESH_MS = 1000;
const LOOK_TIMEOUT_MS = 1000;

/** After a write that the disk or a quota refused: then a trial write decides, and after that again. */
const REFUSED_FOR_MS = 30_000;

/** What may still be written here, and what of it is spoken for. */
export interface RoomSeen {
  /** Of the disk that the data folder is on; undefined while nobody knows. */
  readonly diskBytes: number | undefined;
  /** Of the content store's quota, and the whole of it. */
  readonly contentBytes: number;
  readonly contentQuotaBytes: number;
  /** Inputs of accepted work that are not here yet. */
  readonly expectedBytes: number;
  /** Why the last write was refused, where no later one has been taken. */
  readonly refusal: string | undefined;
}

export interface RoomNeeds {
  readonly clock: Clock;
  readonly disk: DiskGauge;
  readonly content: Pick<ProviderContent, 'room'>;
  readonly folders: Pick<AttemptFolders, 'tryWrite'>;
}

/** Keeps an eye on what this machine really has room for: cheap to ask before each bid, and never in the way of one for long. */
export class Room {
  readonly #needs: RoomNeeds;
  readonly #expected = new Map<string, readonly ContentRef[]>();
  #diskBytes: number | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;
  #refusal: { readonly code: string; readonly untilMs: number } | undefined;

  constructor(needs: RoomNeeds) {
    this.#needs = needs;
  }

  /** Settles within moments, whatever the disk does. */
  async look(): Promise<RoomSeen> {
    if (this.#needs.clock.monotonicMs() - this.#lookedAtMs >= LOOK_FRESH_MS) {
      this.#looking ??= this.#measure().finally(() => {
        this.#looking = undefined;
      });
      await this.#looking;
    }
    return this.seen();
  }

  /** As of the last look. */
  seen(): RoomSeen {
    const { freeBytes, quotaBytes } = this.#needs.content.room();
    return {
      diskBytes: this.#diskBytes,
      contentBytes: freeBytes,
      contentQuotaBytes: quotaBytes,
      expectedBytes: this.#expectedBytes(),
      refusal: this.#refusal?.code,
    };
  }

  /** Work was accepted whose inputs are still to come; the same work again changes nothing. */
  expect(executionId: string, inputs: readonly ContentRef[]): void {
    this.#expected.set(executionId, inputs);
  }

  /** Bytes of `inputs` that nobody expects yet. */
  beyondExpected(inputs: readonly ContentRef[]): number {
    const known = new Set([...this.#expected.values()].flatMap((refs) => refs.map(({ cid }) => cid)));
    return sizeOfAll(inputs.filter(({ cid }) => !known.has(cid)));
  }

  /** They are here, or will not come any more. */
  arrived(executionId: string): void {
    this.#expected.delete(executionId);
  }

  /** A write was refused: until one is taken again there is no room, whatever the counts say. */
  refused(code: string): void {
    this.#refusal = { code, untilMs: this.#needs.clock.monotonicMs() + REFUSED_FOR_MS };
  }

  async #measure(): Promise<void> {
    const { clock, disk } = this.#needs;
    const unknown = (): undefined => undefined;
    const freeBytes = await within(clock, LOOK_TIMEOUT_MS, disk.freeBytes(), unknown).catch(unknown);
    this.#diskBytes = freeBytes ?? this.#diskBytes;
    await this.#tryAgain();
    this.#lookedAtMs = clock.monotonicMs();
  }

  async #tryAgain(): Promise<void> {
    const { clock, folders } = this.#needs;
    const refusal = this.#refusal;
    if (refusal === undefined || clock.monotonicMs() < refusal.untilMs) return;
    try {
      const late = (): Promise<never> => Promise.reject(new Error('the disk does not answer'));
      await within(clock, LOOK_TIMEOUT_MS, folders.tryWrite(), late);
      this.#refusal = undefined;
    } catch (error) {
      this.refused(codeOf(error) ?? refusal.code);
    }
  }

  #expectedBytes(): number {
    return sizeOfAll([...this.#expected.values()].flat());
  }
}

/** The same content is fetched once, however often it is named. */
function sizeOfAll(refs: readonly ContentRef[]): number {
  const sizes = new Map(refs.map(({ cid, size }) => [cid, size]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
