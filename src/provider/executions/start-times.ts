import type { ProviderLimits } from '../options.ts';

export type StartLimits = Pick<ProviderLimits, 'startsRemembered' | 'unseenStartMs' | 'longestStartWithinMs'>;

/**
 * How long the last contracts of each engine took to their start, inputs and all: what bids say of the next one. The
 * middle of them counts, so no single requester that was slow with its inputs makes this node look slow.
 */
export class StartTimes {
  readonly #limits: StartLimits;
  readonly #lastMs = new Map<string, number[]>();

  constructor(limits: StartLimits) {
    this.#limits = limits;
  }

  saw(engine: string, tookMs: number): void {
    const before = this.#lastMs.get(engine) ?? [];
    this.#lastMs.set(engine, [...before, tookMs].slice(-this.#limits.startsRemembered));
  }

  estimateMs(engine: string): number {
    const { unseenStartMs, longestStartWithinMs } = this.#limits;
    const sorted = (this.#lastMs.get(engine) ?? []).toSorted((a, b) => a - b);
    const middleMs = sorted[Math.floor(sorted.length / 2)] ?? unseenStartMs;
    return Math.round(Math.min(longestStartWithinMs, Math.max(0, middleMs)));
  }
}
