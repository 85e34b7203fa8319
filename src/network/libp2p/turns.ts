import { afterThisTurn } from '../../lib/clock.ts';
import type { WorkSource } from './work-meter.ts';

/** What peers send may take so much of one turn of the event loop; what else this node does waits no longer. */
const MOST_TURN_MS = 5;

interface Waiting {
  readonly source: WorkSource;
  run(): void;
}

/**
 * Shares out the turns of the event loop among the connections. Whoever has made this node work least lately comes
 * first: those who send much wait for each other, and not the others for them.
 */
export class Turns {
  #spentMs = 0;
  #waiting: Waiting[] = [];
  #isWatching = false;

  /** True while there is time left in this turn. */
  get hasTime(): boolean {
    return this.#spentMs < MOST_TURN_MS;
  }

  spend(workMs: number): void {
    this.#spentMs += workMs;
    this.#watch();
  }

  /** Runs it in a later turn. */
  later(source: WorkSource, run: () => void): void {
    this.#waiting.push({ source, run });
    this.#watch();
  }

  #watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    afterThisTurn(() => {
      this.#isWatching = false;
      this.#spentMs = 0;
      this.#next();
    });
  }

  /** One of those that wait; what it takes is known only when all of it has run. */
  #next(): void {
    const [first, ...rest] = this.#waiting;
    if (first === undefined) return;
    const next = rest.reduce(
      (least, one) => (one.source.recentMs < least.source.recentMs ? one : least),
      first,
    );
    this.#waiting.splice(this.#waiting.indexOf(next), 1);
    next.run();
    if (this.#waiting.length > 0) this.#watch();
  }
}
