import type { PeerId, PeerStore } from '@libp2p/interface';
import { LRUCache } from 'lru-cache';

export interface RememberedPeersNeeds {
  readonly peerStore: Pick<PeerStore, 'delete'>;
  isConnected(peer: string): boolean;
}

/** libp2p remembers every peer it ever met. This forgets those that were away longest. */
export class RememberedPeers {
  readonly #needs: RememberedPeersNeeds;
  readonly #away: LRUCache<string, PeerId>;

  constructor(maxPeers: number, needs: RememberedPeersNeeds) {
    this.#needs = needs;
    this.#away = new LRUCache({ max: maxPeers, dispose: (id, _, reason) => this.#onDispose(id, reason) });
  }

  connected(id: PeerId): void {
    this.#away.delete(id.toString());
  }

  /** Disconnected, or heard of without being connected. */
  away(id: PeerId): void {
    this.#away.set(id.toString(), id);
  }

  #onDispose(id: PeerId, reason: LRUCache.DisposeReason): void {
    if (reason === 'evict' && !this.#needs.isConnected(id.toString())) {
      this.#needs.peerStore.delete(id).catch(() => {});
    }
  }
}
