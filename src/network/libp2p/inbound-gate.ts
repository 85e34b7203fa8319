import type { Multiaddr } from '@multiformats/multiaddr';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { RateLimit } from '../../lib/token-bucket.ts';
import { AddressBudget } from './address-budget.ts';

/** The user hears of refused connections once in so long. */
const TOLD_EVERY_MS = 60_000;

export interface InboundLimits {
  readonly inboundInTotal: RateLimit;
  readonly inboundPerPrefix: RateLimit;
  readonly letGoCost: number;
}

/** Who may connect, asked before the handshake, which costs far more than the question. */
export class InboundGate {
  readonly #limits: InboundLimits;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #budget: AddressBudget;
  #refused = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(limits: InboundLimits, clock: Clock, logger: Logger) {
    this.#limits = limits;
    this.#clock = clock;
    this.#logger = logger;
    this.#budget = new AddressBudget(limits.inboundInTotal, limits.inboundPerPrefix, clock);
  }

  denies(address: Multiaddr): boolean {
    if (this.#budget.take(address)) return false;
    this.#refused += 1;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#toldAtMs >= TOLD_EVERY_MS) {
      const fields = { address: address.toString(), refused: this.#refused };
      this.#logger.warn('connections are refused: too many from this network, or in total', fields);
      this.#toldAtMs = nowMs;
      this.#refused = 0;
    }
    return true;
  }

  /** A peer that came from there was let go of. */
  letGo(address: Multiaddr): void {
    this.#budget.charge(address, this.#limits.letGoCost);
  }
}
