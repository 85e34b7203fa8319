import type { Connection, PeerId } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import { prefixOf } from './address-scope.ts';

/** Who is connected, as libp2p told it, and over what. */
export class Connections {
  readonly #all: (peer?: PeerId) => Connection[];
  readonly #peers = new Map<string, PeerId>();

  constructor(all: (peer?: PeerId) => Connection[]) {
    this.#all = all;
  }

  connected(id: PeerId): void {
    this.#peers.set(id.toString(), id);
  }

  disconnected(id: PeerId): void {
    this.#peers.delete(id.toString());
  }

  clear(): void {
    this.#peers.clear();
  }

  get size(): number {
    return this.#peers.size;
  }

  has(peer: string): boolean {
    return this.#peers.has(peer);
  }

  peers(): string[] {
    return [...this.#peers.keys()];
  }

  of(peer: string): Connection[] {
    const id = this.#peers.get(peer);
    return id === undefined ? [] : this.#all(id);
  }

  /** The newest: an older one may belong to a life of the peer that ended without a word. */
  newestOf(peer: string): Connection | undefined {
    return this.of(peer)
      .filter((connection) => connection.status === 'open')
      .toSorted((a, b) => b.timeline.open - a.timeline.open)[0];
  }

  prefixOf(peer: string): string | undefined {
    const newest = this.newestOf(peer);
    return newest === undefined ? undefined : prefixOf(newest.remoteAddr);
  }

  addressesOf(peer: string): string[] {
    const ends = this.of(peer).map(({ remoteAddr }) => remoteAddr.toString());
    return [...new Set(ends.map((end) => (end.endsWith(`/p2p/${peer}`) ? end : `${end}/p2p/${peer}`)))];
  }

  /** The keep-alive pings measure it: nothing until the first one of a connection is back. */
  roundTripMs(peer: string): number | undefined {
    const measured = this.of(peer).flatMap(({ rtt }) => rtt ?? []);
    return measured.length === 0 ? undefined : Math.min(...measured);
  }

  /** How many were opened by others, and how many by this node. */
  counts(): { readonly inbound: number; readonly outbound: number } {
    const all = this.#all();
    const inbound = all.filter(({ direction }) => direction === 'inbound').length;
    return { inbound, outbound: all.length - inbound };
  }

  /** The far ends of all of them. */
  farEnds(): Multiaddr[] {
    return this.#all().map(({ remoteAddr }) => remoteAddr);
  }
}
