import type { MultiaddrConnection } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { RateLimit } from '../../lib/token-bucket.ts';
import { AddressBudget } from './address-budget.ts';
import { prefixOf } from './address-scope.ts';

/** The user hears of refused connections once in so long. */
const TOLD_EVERY_MS = 60_000;

/** Work before a handshake is over that counts as one connection of `inboundPerPrefix`. */
const CONNECTION_MS = 10;

export interface InboundLimits {
  readonly inboundInTotal: RateLimit;
  readonly inboundPerPrefix: RateLimit;
  readonly letGoCost: number;
  readonly pendingPerPrefix: number;
}

/**
 * Who may connect, asked before the handshake, which costs far more than the question. One that never shakes hands
 * holds a place until libp2p gives up on it; no network can have all of them.
 */
export class InboundGate {
  readonly #limits: InboundLimits;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #budget: AddressBudget;
  /** Connections before the end of their handshake, by address; and how many of them each prefix has. */
  readonly #pending = new Map<string, string>();
  readonly #pendingOfPrefix = new Map<string, number>();
  /** Since the start. */
  refusedInTotal = 0;
  #refused = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(limits: InboundLimits, clock: Clock, logger: Logger) {
    this.#limits = limits;
    this.#clock = clock;
    this.#logger = logger;
    this.#budget = new AddressBudget(limits.inboundInTotal, limits.inboundPerPrefix, clock);
  }

  denies(connection: Pick<MultiaddrConnection, 'remoteAddr' | 'addEventListener'>): boolean {
    const { remoteAddr } = connection;
    const prefix = prefixOf(remoteAddr);
    const pending = this.#pendingOfPrefix.get(prefix) ?? 0;
    if (pending >= this.#limits.pendingPerPrefix || !this.#budget.take(remoteAddr))
      return this.#refuse(remoteAddr);
    const key = remoteAddr.toString();
    if (this.#pending.has(key)) return false;
    this.#pending.set(key, prefix);
    this.#pendingOfPrefix.set(prefix, pending + 1);
    connection.addEventListener('close', () => this.shookHands(remoteAddr), { once: true });
    return false;
  }

  /** The handshake is over, or there will be none. */
  shookHands(address: Multiaddr): void {
    const key = address.toString();
    const prefix = this.#pending.get(key);
    if (prefix === undefined) return;
    this.#pending.delete(key);
    const left = (this.#pendingOfPrefix.get(prefix) ?? 1) - 1;
    if (left === 0) this.#pendingOfPrefix.delete(prefix);
    else this.#pendingOfPrefix.set(prefix, left);
  }

  /** A peer that came from there was let go of. */
  letGo(address: Multiaddr): void {
    this.#budget.charge(address, this.#limits.letGoCost);
  }

  /** Somebody from there made this node work without ending a handshake, or longer than one takes. */
  worked(address: Multiaddr, workMs: number): void {
    this.#budget.charge(address, workMs / CONNECTION_MS);
  }

  #refuse(address: Multiaddr): true {
    this.#refused += 1;
    this.refusedInTotal += 1;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#toldAtMs >= TOLD_EVERY_MS) {
      const fields = { address: address.toString(), refused: this.#refused };
      this.#logger.warn('connections are refused: too many from this network, or in total', fields);
      this.#toldAtMs = nowMs;
      this.#refused = 0;
    }
    return true;
  }
}
