import { CODE_P2P, type Multiaddr } from '@multiformats/multiaddr';
import { type AddressScope, byWidestFirst, mayDial } from './address-scope.ts';
import type { Clock } from '../../lib/clock.ts';
import { TokenBucket } from '../../lib/token-bucket.ts';
import { AddressBudget } from './address-budget.ts';
import type { Libp2pLimits } from './options.ts';

export type DialLimits = Pick<Libp2pLimits, 'dialsInTotal' | 'dialsPerPrefix' | 'dialsForStrangers'>;

/**
 * Which addresses are dialled on other peers' word. Those this node was told by its user, or found on its own
 * local network, are exempt while they are dialled.
 */
export class DialPolicy {
  readonly #budget: AddressBudget;
  /** What strangers can make this node dial: a record names addresses of anybody, and each costs a connection. */
  readonly #forStrangers: TokenBucket;
  readonly #ownScope: () => AddressScope;
  readonly #exempt = new Map<string, number>();

  constructor(limits: DialLimits, clock: Clock, ownScope: () => AddressScope) {
    this.#budget = new AddressBudget(limits.dialsInTotal, limits.dialsPerPrefix, clock);
    this.#forStrangers = new TokenBucket(limits.dialsForStrangers, clock);
    this.#ownScope = ownScope;
  }

  /** The addresses that may be dialled at all, the widest reaching first, at most `limit`. */
  select(addresses: readonly Multiaddr[], limit: number): Multiaddr[] {
    const own = this.#ownScope();
    return addresses
      .filter((address) => mayDial(own, address))
      .toSorted(byWidestFirst)
      .slice(0, limit);
  }

  /** Takes one dial; one for a stranger from what strangers share as well. */
  take(address: Multiaddr, forStranger: boolean): boolean {
    if (forStranger && !this.#forStrangers.hasToken()) return false;
    if (!this.#budget.take(address)) return false;
    if (forStranger) this.#forStrangers.spend();
    return true;
  }

  /** Runs `dial` while these addresses pass the gate without being asked anything. */
  async exempting<T>(addresses: readonly Multiaddr[], dial: () => Promise<T>): Promise<T> {
    const keys = addresses.map(withoutPeer);
    for (const key of keys) this.#exempt.set(key, (this.#exempt.get(key) ?? 0) + 1);
    try {
      return await dial();
    } finally {
      for (const key of keys) {
        const left = (this.#exempt.get(key) ?? 1) - 1;
        if (left > 0) this.#exempt.set(key, left);
        else this.#exempt.delete(key);
      }
    }
  }

  /** The gate before every dial, also of those that libp2p starts: peer exchange, address lookup. */
  denies(address: Multiaddr): boolean {
    if (this.#exempt.has(withoutPeer(address))) return false;
    return !mayDial(this.#ownScope(), address) || !this.take(address, false);
  }
}

function withoutPeer(address: Multiaddr): string {
  return address.decapsulateCode(CODE_P2P).toString();
}
