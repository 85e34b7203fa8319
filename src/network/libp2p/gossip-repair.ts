import type { Identify } from '@libp2p/identify';
import type { Connection } from '@libp2p/interface';
import { type Clock, every, type Timer } from '../../lib/clock.ts';

const CHECK_EVERY_MS = 2000;
const IDENTIFY_TIMEOUT_MS = 5000;

export interface GossipRepairNeeds {
  readonly clock: Clock;
  readonly identify: Identify;
  connections(): readonly Connection[];
  isReachable(peer: string): boolean;
  repaired(peer: string): void;
}

/**
 * Gossipsub opens its stream to a peer once, when the peer is identified. When that stream ends while the peer
 * stays connected (one of two connections closed, a slow reader was cut off) it never opens another one, and the
 * peer hears nothing any more. Identifying the peer again makes gossipsub look again.
 */
export class GossipRepair {
  readonly #needs: GossipRepairNeeds;
  #suspects = new Set<string>();
  #timer: Timer | undefined;

  constructor(needs: GossipRepairNeeds) {
    this.#needs = needs;
  }

  start(): void {
    this.#timer = every(this.#needs.clock, CHECK_EVERY_MS, () => this.#check());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#suspects.clear();
  }

  /** A peer must be found cut off twice: one that has just connected is no case for repair. */
  #check(): void {
    const cutOff = new Map<string, Connection>();
    for (const connection of this.#needs.connections()) {
      const peer = connection.remotePeer.toString();
      if (connection.status === 'open' && !this.#needs.isReachable(peer)) cutOff.set(peer, connection);
    }
    for (const [peer, connection] of cutOff) {
      if (this.#suspects.has(peer)) void this.#repair(peer, connection);
    }
    this.#suspects = new Set(cutOff.keys());
  }

  async #repair(peer: string, connection: Connection): Promise<void> {
    const timeout = new AbortController();
    const timer = this.#needs.clock.after(IDENTIFY_TIMEOUT_MS, () => timeout.abort());
    try {
      await this.#needs.identify.identify(connection, { signal: timeout.signal });
      this.#needs.repaired(peer);
    } catch {
      // A peer that cannot be identified is left to the connection's own liveness check.
    } finally {
      timer.cancel();
    }
  }
}
