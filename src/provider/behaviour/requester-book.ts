import { StrikeBook, type StrikeLimits } from '../../domain/strike-book.ts';
import type { PeerBehaviour, StrikeKind } from '../../domain/strikes.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Startable } from '../../lib/startable.ts';
import { WriteBehind } from '../../lib/write-behind.ts';
import type { RequesterReputation, StrikeStore } from '../ports.ts';

export interface RequesterBookNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly strikes: StrikeStore;
}

/** How requesters have behaved towards this provider. A memory and not a promise, as on the other side. */
export class RequesterBook implements Startable, RequesterReputation {
  readonly #needs: RequesterBookNeeds;
  readonly #book: StrikeBook;
  readonly #writes: WriteBehind;

  constructor(limits: StrikeLimits, needs: RequesterBookNeeds) {
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
      logger.warn('strikes against requesters were not read', { reason: messageOf(error) });
    }
  }

  async stop(): Promise<void> {
    await this.#writes.flush();
  }

  /** Thousandths; 1000 where nothing is held against it. */
  of(requester: string): number {
    return this.behaviourOf(requester).score;
  }

  behaviourOf(requester: string): PeerBehaviour {
    return this.#book.behaviourOf(requester, this.#needs.clock.nowMs());
  }

  /** It certified addresses that lead nowhere. */
  unreachable(requester: string): void {
    this.#strike(requester, 'unreachable');
  }

  /** It left a contract alone: went out of reach for too long, or never took the result. */
  abandoned(requester: string): void {
    this.#strike(requester, 'contract-abandoned');
  }

  /** It took the result of its contract. */
  kept(requester: string): void {
    this.#book.good(requester, this.#needs.clock.nowMs());
  }

  #strike(requester: string, kind: StrikeKind): void {
    this.#book.strike(requester, kind, this.#needs.clock.nowMs());
    this.#needs.logger.debug('strike', { requester, kind, score: this.of(requester) });
  }
}
