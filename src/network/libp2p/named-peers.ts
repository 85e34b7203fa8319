import type { PeerId } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import { peerOf } from './bootstrap-links.ts';

/** The peers behind the addresses that the user named: by what an address says, and by who answered there. */
export class NamedPeers {
  readonly #peers = new Map<string, string>();

  constructor(addresses: readonly Multiaddr[]) {
    for (const address of addresses) {
      const peer = peerOf(address);
      if (peer !== undefined) this.#peers.set(address.toString(), peer);
    }
  }

  answered(address: Multiaddr, peer: PeerId): void {
    this.#peers.set(address.toString(), peer.toString());
  }

  has(peer: string): boolean {
    for (const named of this.#peers.values()) if (named === peer) return true;
    return false;
  }
}
