export interface UnreadLimits {
  /** Received bytes that one peer's channels may have waiting here, also in frames that are not whole. */
  readonly unreadOfPeerBytes: number;
  readonly unreadOfStrangerBytes: number;
  /** Those of all strangers together. */
  readonly unreadOfStrangersBytes: number;
}

/** One channel, as far as what waits in it is concerned. */
export interface UnreadHolder {
  readonly peer: string;
  readonly heldBytes: number;
  /** It holds too much and is ended. */
  overflow(): void;
}

interface PeerBytes {
  bytes: number;
  /** The channels that hold something, and what was last counted of each. */
  readonly holders: Map<UnreadHolder, number>;
}

/**
 * What arrived and was not read yet, of all channels. Windows bound each stream alone, and a peer has a thousand. Beyond
 * the bounds the channel that holds most of it is ended: not reading the connection instead could wait for ever, as the
 * rest of a frame may be what is not read.
 */
export class UnreadBytes {
  readonly #limits: UnreadLimits;
  readonly #isStranger: (peer: string) => boolean;
  readonly #peers = new Map<string, PeerBytes>();
  #total = 0;

  constructor(limits: UnreadLimits, isStranger: (peer: string) => boolean) {
    this.#limits = limits;
    this.#isStranger = isStranger;
  }

  get total(): number {
    return this.#total;
  }

  /** Told whenever it may hold more or less than before. */
  changed(holder: UnreadHolder): void {
    const before = this.#peers.get(holder.peer)?.holders.get(holder) ?? 0;
    const now = holder.heldBytes;
    if (before === now) return;
    this.#count(holder, before, now);
    if (now > before) this.#bound(holder.peer);
  }

  #count(holder: UnreadHolder, before: number, now: number): void {
    const peer = this.#peers.get(holder.peer) ?? { bytes: 0, holders: new Map<UnreadHolder, number>() };
    peer.bytes += now - before;
    this.#total += now - before;
    if (now === 0) peer.holders.delete(holder);
    else peer.holders.set(holder, now);
    if (peer.holders.size === 0) this.#peers.delete(holder.peer);
    else this.#peers.set(holder.peer, peer);
  }

  #bound(peer: string): void {
    const { unreadOfPeerBytes, unreadOfStrangerBytes, unreadOfStrangersBytes } = this.#limits;
    const most = this.#isStranger(peer) ? unreadOfStrangerBytes : unreadOfPeerBytes;
    for (let held = this.#peers.get(peer); held !== undefined && held.bytes > most; ) {
      this.#endLargest(held);
      held = this.#peers.get(peer);
    }
    if (this.#total <= unreadOfStrangersBytes) return;
    for (
      let strangers = this.#strangers();
      sum(strangers) > unreadOfStrangersBytes;
      strangers = this.#strangers()
    ) {
      this.#endLargest(strangers.reduce((most, one) => (one.bytes > most.bytes ? one : most)));
    }
  }

  #strangers(): PeerBytes[] {
    return [...this.#peers].filter(([peer]) => this.#isStranger(peer)).map(([, held]) => held);
  }

  #endLargest({ holders }: PeerBytes): void {
    const [first, ...rest] = holders;
    if (first === undefined) return;
    const [holder, bytes] = rest.reduce((most, one) => (one[1] > most[1] ? one : most), first);
    this.#count(holder, bytes, 0);
    holder.overflow();
  }
}

function sum(peers: readonly PeerBytes[]): number {
  return peers.reduce((bytes, peer) => bytes + peer.bytes, 0);
}
