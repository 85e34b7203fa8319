import type { Peer, PeerData, PeerId, PeerStore } from '@libp2p/interface';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../lib/clock.ts';

const MOST_KNOWN_PEERS = 1024;
/** What a peer speaks is written down again after this, as the store forgets whom it has not heard of for hours. */
const WRITTEN_AGAIN_MS = 600_000;

type MergingStore = Pick<PeerStore, 'merge' | 'patch' | 'save' | 'delete'>;

interface Known {
  readonly peer: Peer;
  readonly atMs: number;
}

/**
 * Spares a peer store what it holds already. For every stream libp2p writes down that the peer speaks its protocol: it
 * reads, decodes, merges, encodes and compares all that is known of the peer, on both sides, to change nothing.
 */
export function rememberProtocols(store: MergingStore, clock: Clock): void {
  const known = new LRUCache<string, Known>({ max: MOST_KNOWN_PEERS });
  const { merge, patch, save, delete: forget } = store;

  store.merge = async (id, data, options) => {
    const key = id.toString();
    const held = known.get(key);
    if (held !== undefined && clock.monotonicMs() - held.atMs < WRITTEN_AGAIN_MS && holds(held.peer, data))
      return held.peer;
    const peer = await Reflect.apply(merge, store, [id, data, options]);
    known.set(key, { peer, atMs: clock.monotonicMs() });
    return peer;
  };
  const changing = <Args extends readonly unknown[], Result>(
    change: (id: PeerId, ...args: Args) => Promise<Result>,
  ) => {
    return async (id: PeerId, ...args: Args): Promise<Result> => {
      try {
        return await Reflect.apply(change, store, [id, ...args]);
      } finally {
        known.delete(id.toString());
      }
    };
  };
  store.patch = changing(patch);
  store.save = changing(save);
  store.delete = changing(forget);
}

/** True when the data is protocols and nothing else, and the peer has all of them. */
function holds(peer: Peer, data: PeerData): boolean {
  const { protocols, ...others } = data;
  if (protocols === undefined || Object.keys(others).length > 0) return false;
  return protocols.every((protocol) => peer.protocols.includes(protocol));
}
