import type { PeerId, PeerStore } from '@libp2p/interface';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../lib/clock.ts';

const PARTNER_VALUE = 60;
const PARTNER_TTL_MS = 600_000;
const BOOTSTRAP_VALUE = 100;
const RENEW_AFTER_MS = PARTNER_TTL_MS / 2;
const MAX_PARTNERS = 1000;

/** Tells the connection manager whom to keep when there are too many connections. */
export class PeerTags {
  readonly #peerStore: Pick<PeerStore, 'merge'>;
  readonly #clock: Clock;
  readonly #taggedAtMs = new LRUCache<string, number>({ max: MAX_PARTNERS });

  constructor(peerStore: Pick<PeerStore, 'merge'>, clock: Clock) {
    this.#peerStore = peerStore;
    this.#clock = clock;
  }

  /** Peers with a channel, for a while after it; renewed rarely, as each tag is a write to the peer store. */
  partner(id: PeerId): void {
    const peer = id.toString();
    const taggedAtMs = this.#taggedAtMs.get(peer);
    const nowMs = this.#clock.monotonicMs();
    if (taggedAtMs !== undefined && nowMs - taggedAtMs < RENEW_AFTER_MS) return;
    this.#taggedAtMs.set(peer, nowMs);
    this.#merge(id, 'bidmesh-partner', { value: PARTNER_VALUE, ttl: PARTNER_TTL_MS });
  }

  bootstrap(id: PeerId): void {
    this.#merge(id, 'bidmesh-bootstrap', { value: BOOTSTRAP_VALUE });
  }

  #merge(id: PeerId, name: string, tag: { readonly value: number; readonly ttl?: number }): void {
    this.#peerStore.merge(id, { tags: { [name]: tag } }).catch(() => {});
  }
}
