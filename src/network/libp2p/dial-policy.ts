import { CODE_P2P, type Multiaddr } from '@multiformats/multiaddr';
import { type AddressScope, byWidestFirst, mayDial } from './address-scope.ts';
import type { AddressBudget } from './address-budget.ts';

/**
 * Which addresses are dialled on other peers' word. Those this node was told by its user, or found on its own
 * local network, are exempt while they are dialled.
 */
export class DialPolicy {
  readonly #budget: AddressBudget;
  readonly #ownScope: () => AddressScope;
  readonly #exempt = new Map<string, number>();

  constructor(budget: AddressBudget, ownScope: () => AddressScope) {
    this.#budget = budget;
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

  take(address: Multiaddr): boolean {
    return this.#budget.take(address);
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
    return !mayDial(this.#ownScope(), address) || !this.take(address);
  }
}

function withoutPeer(address: Multiaddr): string {
  return address.decapsulateCode(CODE_P2P).toString();
}
