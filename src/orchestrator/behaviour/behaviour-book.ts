import { StrikeBook, type StrikeLimits } from '../../domain/strike-book.ts';
import type { PeerBehaviour, StrikeKind, StrikeTally } from '../../domain/strikes.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Startable } from '../../lib/startable.ts';
import { WriteBehind } from '../../lib/write-behind.ts';
import type { StrikeStore } from '../ports.ts';

export interface BehaviourBookNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly strikes: StrikeStore;
}

/**
 * How providers have behaved towards this requester. A memory and not a promise: a crash may lose its last moments,
 * and what cannot be read is begun anew.
 */
export class BehaviourBook implements Startable {
  readonly #needs: BehaviourBookNeeds;
  readonly #book: StrikeBook;
  readonly #writes: WriteBehind;

  constructor(limits: StrikeLimits, needs: BehaviourBookNeeds) {
    this.#needs = needs;
    this.#book = new StrikeBook(limits, (peer) => this.#writes.changed(peer));
    this.#writes = new WriteBehind(limits.writeDelayMs, {
      clock: needs.clock,
      write: (peers) => needs.strikes.write(this.#book.changeOf(peers)),
      onFailed: (error) => needs.logger.warn('strikes were not written', { reason: messageOf(error) }),
    });
  }

  async start(): Promise<void> {
    const { clock, logger, strikes } = this.#needs;
    try {
      this.#book.restore(await strikes.load(), clock.nowMs());
    } catch (error) {
      logger.warn('strikes against providers were not read', { reason: messageOf(error) });
    }
  }

  async stop(): Promise<void> {
    await this.#writes.flush();
  }

  strike(provider: string, kind: StrikeKind): void {
    this.#book.strike(provider, kind, this.#needs.clock.nowMs());
    this.#needs.logger.debug('strike', { provider, kind, score: this.scoreOf(provider) });
  }

  /** The provider kept a contract. */
  good(provider: string): void {
    this.#book.good(provider, this.#needs.clock.nowMs());
  }

  behaviourOf(provider: string): PeerBehaviour {
    return this.#book.behaviourOf(provider, this.#needs.clock.nowMs());
  }

  /** Thousandths; 1000 where nothing is held against it. */
  scoreOf(provider: string): number {
    return this.behaviourOf(provider).score;
  }

  explain(provider: string): readonly StrikeTally[] {
    return this.behaviourOf(provider).strikes;
  }
}
