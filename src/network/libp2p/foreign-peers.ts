import type { Logger } from '../../lib/logger.ts';
import type { ForeignPeer } from '../underlay.ts';

const OUR_KIND = /^\/bidmesh\/([A-Za-z0-9][A-Za-z0-9._-]{0,62})\//;

/**
 * The network that a peer with these protocols is of. Undefined for one that speaks no protocol of any: it is no
 * Bidmesh node.
 */
export function networkOf(protocols: readonly string[], own: string): string | undefined {
  const networks = protocols.flatMap((protocol) => OUR_KIND.exec(protocol)?.[1] ?? []);
  return networks.includes(own) ? own : networks[0];
}

export interface ForeignPeersNeeds {
  readonly network: string;
  readonly logger: Logger;
  /** True for a peer that the user named: that it will never answer is worth a word. */
  readonly isNamed: (peer: string) => boolean;
}

/** Connected peers that are not of this network, by what they say they speak. */
export class ForeignPeers {
  readonly #needs: ForeignPeersNeeds;
  readonly #foreign = new Map<string, ForeignPeer>();
  /** Named peers are few, and each is told of once in a life. */
  readonly #told = new Set<string>();

  constructor(needs: ForeignPeersNeeds) {
    this.#needs = needs;
  }

  identified(peer: string, protocols: readonly string[]): void {
    const own = this.#needs.network;
    const network = networkOf(protocols, own);
    if (network === own) {
      this.#foreign.delete(peer);
      return;
    }
    this.#foreign.set(peer, network === undefined ? { peer } : { peer, network });
    if (!this.#needs.isNamed(peer) || this.#told.has(peer)) return;
    this.#told.add(peer);
    if (network === undefined) {
      this.#needs.logger.warn('a bootstrap peer is no Bidmesh node and will never answer', { peer });
    } else {
      this.#needs.logger.warn(
        'a bootstrap peer is of another network and will never answer; start with --network to join its own',
        { peer, network, own },
      );
    }
  }

  gone(peer: string): void {
    this.#foreign.delete(peer);
  }

  list(): readonly ForeignPeer[] {
    return [...this.#foreign.values()];
  }
}
