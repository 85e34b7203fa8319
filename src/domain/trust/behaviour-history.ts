import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Startable } from '../../lib/startable.ts';
import { WriteBehind } from '../../lib/write-behind.ts';
import { StrikeHistory, type StrikeChange, type StrikeLimits } from './strike-history.ts';
import type { PeerBehaviour, PeerStrikes, StrikeKind } from './strikes.ts';

/** What a node holds against peers in one role, over restarts. */
export interface StrikeStore {
  load(): Promise<readonly PeerStrikes[]>;
  write(change: StrikeChange): Promise<void>;
}

export interface BehaviourBookNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly strikes: StrikeStore;
}

/**
 * How peers have behaved towards this node in one role, over restarts. A memory and not a promise: a crash may lose
 * its last moments, and what cannot be read is begun anew.
 */
export class BehaviourHistory implements Startable {
  readonly #needs: BehaviourBookNeeds;
  readonly #strikes: StrikeHistory;
  readonly #writes: WriteBehind;

  constructor(limits: StrikeLimits, needs: BehaviourBookNeeds) {
    this.#needs = needs;
    this.#strikes = new StrikeHistory(limits, (peer) => this.#writes.changed(peer));
    this.#writes = new WriteBehind(limits.writeDelayMs, {
      clock: needs.clock,
      write: (peers) => needs.strikes.write(this.#strikes.changeOf(peers)),
      onFailed: (error) => needs.logger.warn('strikes were not written', { reason: messageOf(error) }),
    });
  }

  async start(): Promise<void> {
    const { clock, logger, strikes } = this.#needs;
    try {
      this.#strikes.restore(await strikes.load(), clock.livedMs());
    } catch (error) {
      logger.warn('strikes were not read', { reason: messageOf(error) });
    }
  }

  async stop(): Promise<void> {
    await this.#writes.flush();
  }

  strike(peer: string, kind: StrikeKind): void {
    const { clock, logger } = this.#needs;
    this.#strikes.strike(peer, kind, clock.livedMs());
    logger.debug('strike', { peer, kind, score: this.behaviourOf(peer).score });
  }

  /** The peer kept a contract. */
  good(peer: string): void {
    this.#strikes.good(peer, this.#needs.clock.livedMs());
  }

  behaviourOf(peer: string): PeerBehaviour {
    return this.#strikes.behaviourOf(peer, this.#needs.clock.livedMs());
  }
}
