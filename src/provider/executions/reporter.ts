import type { Notary } from '../../domain/market/evidence.ts';
import type { Desired, ServingItem, ServingList } from '../../domain/market/serving.ts';
import { backoffMs } from '../../lib/backoff.ts';
import type { Chance } from '../../lib/chance.ts';
import { type Clock, sleep, type Timer, within } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { RequesterLink } from '../ports.ts';

/** Every execution of a requester that is not settled, the most important first, with the way to reach it. */
export interface ServedTo {
  readonly record: Uint8Array;
  readonly items: readonly ServingItem[];
}

/** More than this does not fit into one list; the rest follows when these are settled. */
export const MOST_ITEMS = 4096;
/** Before the node stops, what is over is told again after so long until its requester has taken it. */
const FAREWELL_AGAIN_MS = 50;

export interface ReporterNeeds {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly logger: Logger;
  readonly notary: Notary;
  readonly link: Pick<RequesterLink, 'report'>;
  readonly servedTo: (requester: string) => ServedTo;
  readonly onDesired: (requester: string, executionId: string, attempt: number, desired: Desired) => void;
  readonly onHeard: (requester: string) => void;
}

interface Line {
  sending: boolean;
  again: boolean;
  /** It came into reach while this list was under way. */
  back: boolean;
  failures: number;
  number: number;
  timer: Timer | undefined;
  /** Settles when the list that is under way is through. */
  underWay: Promise<unknown>;
}

/**
 * Sends each requester its serving list: at once after a change, at an interval, and when it comes back into
 * reach. One list per requester is under way at a time; a change meanwhile makes one more follow.
 */
export class Reporter {
  readonly #heartbeat: { readonly firstMs: number; readonly longestMs: number; readonly factor: number };
  readonly #needs: ReporterNeeds;
  readonly #lines = new Map<string, Line>();
  #leaving = false;
  #stopped = false;

  constructor(heartbeat: { readonly periodMs: number; readonly longestMs: number }, needs: ReporterNeeds) {
    this.#heartbeat = { firstMs: heartbeat.periodMs, longestMs: heartbeat.longestMs, factor: 1.5 };
    this.#needs = needs;
  }

  /** Something the requester should know has changed. */
  changed(requester: string): void {
    if (this.#leaving || this.#stopped) return;
    const line = this.#lines.get(requester) ?? {
      sending: false,
      again: false,
      back: false,
      failures: 0,
      number: 0,
      timer: undefined,
      underWay: Promise.resolve(),
    };
    this.#lines.set(requester, line);
    if (line.sending) {
      line.again = true;
      return;
    }
    void this.#send(requester, line);
  }

  /** A requester came into reach. A list that hangs then will fail, and is not waited for longer than that. */
  reachable(requester: string): void {
    const line = this.#lines.get(requester);
    if (line === undefined) return;
    line.back = true;
    this.changed(requester);
  }

  /**
   * The last word to every requester, so that none has to find out by silence: what is over is told until it was
   * taken, the requester cannot be reached, or the time is up. Nothing is sent after that.
   */
  async farewell(limitMs: number): Promise<void> {
    this.#leaving = true;
    const goodbyes = [...this.#lines].map(([requester, line]) => this.#leave(requester, line));
    await within(this.#needs.clock, limitMs, Promise.all(goodbyes), () => undefined);
    this.stop();
  }

  stop(): void {
    this.#stopped = true;
    for (const line of this.#lines.values()) line.timer?.cancel();
    this.#lines.clear();
  }

  async #send(requester: string, line: Line, hurried = false): Promise<void> {
    line.timer?.cancel();
    const { record, items } = this.#needs.servedTo(requester);
    if (items.length === 0) {
      this.#lines.delete(requester);
      return;
    }
    line.sending = true;
    line.again = false;
    line.back = false;
    line.number += 1;
    const delivery = this.#deliver(requester, record, {
      number: line.number,
      items: items.slice(0, MOST_ITEMS),
    });
    line.underWay = delivery;
    const delivered = await delivery;
    line.failures = delivered ? 0 : line.failures + 1;
    line.sending = false;
    if (this.#leaving || this.#stopped) return;
    // One try out of turn: a connection that comes and goes must not undo the back-off.
    const hurry = line.back && !delivered && !hurried;
    if (hurry || (line.again && delivered)) {
      void this.#send(requester, line, hurry);
      return;
    }
    const { clock, chance } = this.#needs;
    const waitMs = delivered ? this.#heartbeat.firstMs : backoffMs(this.#heartbeat, line.failures, chance);
    line.timer = clock.after(waitMs, () => void this.#send(requester, line));
  }

  async #leave(requester: string, line: Line): Promise<void> {
    const { clock, notary, servedTo } = this.#needs;
    line.timer?.cancel();
    await line.underWay;
    while (!this.#stopped) {
      const { record, items } = servedTo(requester);
      if (!items.some(({ finishedAt }) => finishedAt !== undefined)) return;
      line.number += 1;
      const list = { number: line.number, items: items.slice(0, MOST_ITEMS) };
      // This node's own requester stops as well: what it has not taken in by then it is told after the next start.
      if (!(await this.#deliver(requester, record, list)) || requester === notary.self) return;
      await sleep(clock, FAREWELL_AGAIN_MS);
    }
  }

  /** True when the requester has answered. Never rejects. */
  async #deliver(requester: string, record: Uint8Array, list: ServingList): Promise<boolean> {
    const { notary, link, logger, onHeard, onDesired } = this.#needs;
    try {
      const answer = await link.report(requester, record, notary.sign('serving-list', list));
      if (this.#stopped) return true;
      onHeard(requester);
      for (const { executionId, attempt, desired } of answer.desired) {
        onDesired(requester, executionId, attempt, desired);
      }
      return true;
    } catch (error) {
      logger.debug('serving list not delivered', { requester, reason: messageOf(error) });
      return false;
    }
  }
}
