import type { Startable } from '../../lib/startable.ts';
import type { BehaviourHistory } from '../../domain/trust/behaviour-history.ts';
import type { RequesterReputation } from '../ports.ts';

/** How requesters have behaved towards this provider. */
export class RequesterHistory implements Startable, RequesterReputation {
  readonly #history: BehaviourHistory;

  constructor(history: BehaviourHistory) {
    this.#history = history;
  }

  start(): Promise<void> {
    return this.#history.start();
  }

  stop(): Promise<void> {
    return this.#history.stop();
  }

  /** Thousandths; 1000 where nothing is held against it. */
  of(requester: string): number {
    return this.#history.behaviourOf(requester).score;
  }

  /** It certified addresses that lead nowhere. */
  unreachable(requester: string): void {
    this.#history.strike(requester, 'unreachable');
  }

  /** It left a contract alone: went out of reach for too long, or never took the result. */
  abandoned(requester: string): void {
    this.#history.strike(requester, 'contract-abandoned');
  }

  /** What its contract needed to begin did not come from it. */
  neverBegun(requester: string): void {
    this.#history.strike(requester, 'contract-never-begun');
  }

  /** It asked for a lock, had it for long, and closed no contract. */
  unusedLock(requester: string): void {
    this.#history.strike(requester, 'lock-unused');
  }

  /** It took the result of its contract. */
  kept(requester: string): void {
    this.#history.good(requester);
  }
}
