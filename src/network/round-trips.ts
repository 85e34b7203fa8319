/** Peers whose times are remembered. */
const MOST_PEERS = 4096;
/** How much one measurement moves what was measured before. */
const NEWEST_SHARE = 0.25;

/** Smoothed times from a question to its answer, by peer; the peer asked longest ago makes room. */
export class RoundTrips {
  readonly #byPeer = new Map<string, number>();

  measured(peer: string, ms: number): void {
    const before = this.#byPeer.get(peer) ?? ms;
    this.#byPeer.delete(peer);
    this.#byPeer.set(peer, before + (ms - before) * NEWEST_SHARE);
    const [oldest] = this.#byPeer.keys();
    if (oldest !== undefined && this.#byPeer.size > MOST_PEERS) this.#byPeer.delete(oldest);
  }

  of(peer: string): number | undefined {
    return this.#byPeer.get(peer);
  }
}
