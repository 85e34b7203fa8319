/** Channels that wait for an allowance: bounded in total and per peer, as each holds what was received on it. */
export class WaitingRoom {
  readonly #limits: { readonly waitingChannels: number; readonly waitingPerPeer: number };
  readonly #byPeer = new Map<string, number>();
  #waiting = 0;

  constructor(limits: { readonly waitingChannels: number; readonly waitingPerPeer: number }) {
    this.#limits = limits;
  }

  /** False when there is no room. Whoever gets true leaves again, once. */
  enter(peer: string): boolean {
    const ofPeer = this.#byPeer.get(peer) ?? 0;
    if (this.#waiting >= this.#limits.waitingChannels || ofPeer >= this.#limits.waitingPerPeer) return false;
    this.#waiting += 1;
    this.#byPeer.set(peer, ofPeer + 1);
    return true;
  }

  leave(peer: string): void {
    this.#waiting -= 1;
    const left = (this.#byPeer.get(peer) ?? 1) - 1;
    if (left > 0) this.#byPeer.set(peer, left);
    else this.#byPeer.delete(peer);
  }
}
