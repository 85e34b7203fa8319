import type { Clock } from '../lib/clock.ts';
import { TokenBucket } from '../lib/token-bucket.ts';
import type { RegistryLimits } from './options.ts';
import type { AdvertPublisher } from './ports.ts';

export interface AcquaintancesNeeds {
  readonly self: string;
  /** Others hear of this node as well, and may be the ones who connect. */
  readonly isHeardOf: boolean;
  readonly clock: Clock;
  readonly publisher: AdvertPublisher;
  readonly isKnown: (peer: string) => boolean;
  readonly isSeen: (peer: string) => boolean;
}

/**
 * With which of the providers that it has heard of a node is in touch. On a small network it is so with all of them:
 * a request then reaches everybody without anybody between, and everybody's answer, a no as well, can come back.
 */
export class Acquaintances {
  readonly #limits: RegistryLimits;
  readonly #needs: AcquaintancesNeeds;
  /** Providers of the table that were lost since they were heard last. */
  readonly #lost = new Set<string>();
  /** Providers of the table that this node could not reach. */
  readonly #unreached = new Set<string>();
  /** Dials to those that may be nobody, at addresses that may be anybody's. */
  readonly #dialsOfUnseen: TokenBucket;
  #inCompanySinceMs: number | undefined;

  constructor(limits: RegistryLimits, needs: AcquaintancesNeeds) {
    this.#limits = limits;
    this.#needs = needs;
    this.#dialsOfUnseen = new TokenBucket(
      { burst: limits.meetUpTo, perSecond: 1000 / limits.meetEveryMs },
      needs.clock,
    );
  }

  /** `before`: it was known already. Of two that hear of each other one goes first, so that they do not meet twice. */
  heard(peer: string, providerRecord: Uint8Array, before: boolean, networkSize: number): void {
    const { self, isHeardOf, publisher } = this.#needs;
    this.#lost.delete(peer);
    if (networkSize > this.#limits.meetUpTo || publisher.isConnected(peer)) return;
    if (isHeardOf && !before && peer < self) return;
    if (!this.#needs.isSeen(peer) && !this.#dialsOfUnseen.take()) return;
    void publisher.meet(peer, providerRecord).then((met) => {
      if (met) this.#unreached.delete(peer);
      else if (this.#needs.isKnown(peer)) this.#unreached.add(peer);
    });
  }

  /** It came by itself. */
  answered(peer: string): void {
    this.#unreached.delete(peer);
  }

  disconnected(peer: string): void {
    if (this.#needs.isKnown(peer)) this.#lost.add(peer);
  }

  audienceChanged(): void {
    if (this.#needs.publisher.audienceSize() === 0) this.#inCompanySinceMs = undefined;
    else this.#inCompanySinceMs ??= this.#needs.clock.monotonicMs();
  }

  /** Forgets who has left the table. */
  sweep(): void {
    for (const peers of [this.#lost, this.#unreached])
      for (const peer of peers) if (!this.#needs.isKnown(peer)) peers.delete(peer);
  }

  /** Hears this node only through others. */
  isIndirect(peer: string): boolean {
    return peer !== this.#needs.self && !this.#needs.publisher.isConnected(peer);
  }

  /** Was lost, or could not be reached: it is gone, or comes by itself. */
  isOutOfReach(peer: string): boolean {
    return this.#lost.has(peer) || this.#unreached.has(peer);
  }

  /** The time in which everybody is heard of has not passed since this node met the first of its neighbours. */
  get mayHaveMissedSome(): boolean {
    const sinceMs = this.#inCompanySinceMs;
    return sinceMs !== undefined && this.#needs.clock.monotonicMs() < sinceMs + this.#limits.settlingMs;
  }
}
