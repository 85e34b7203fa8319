import { type Calendar, type CalendarEntry, seenNow, wallTimeOf } from '../lib/calendar.ts';
import { type Clock, every, isoTime, type Timer } from '../lib/clock.ts';
import { codeOf, messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import { buckets } from './buckets.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Database, Operation } from './database.ts';
import { newestTimeOf } from './newest-time.ts';
import type { StoreLimits } from './options.ts';
import { Repository } from './records.ts';

interface LivedTimeRecord {
  readonly livedMs: number;
}

interface CalendarRecord {
  readonly entries: readonly CalendarEntry[];
}

type LivedTimeLimits = Pick<StoreLimits, 'livedEveryMs' | 'calendarEntries'>;

const LIVED_KEY = 'lived';
const CALENDAR_KEY = 'calendar';

const UNWRITTEN: ReadonlySet<string> = new Set(['STORE_FAILED', 'STORE_BUSY', 'STORE_CLOSED']);

/**
 * Lived time over restarts: each batch that is written takes its newest value along, so no record on disk is younger
 * than the clock of the next start. Beside it stands what the wall clock showed, for people.
 */
export class LivedTime {
  /** The given clock, with its lived time carried over. */
  readonly clock: Clock;
  readonly calendar: Calendar;
  readonly #limits: LivedTimeLimits;
  readonly #lived: Repository<LivedTimeRecord>;
  readonly #calendar: Repository<CalendarRecord>;
  #entries: readonly CalendarEntry[] = [];
  #writtenEntries: readonly CalendarEntry[] = [];
  #writtenMs = 0;

  private constructor(limits: LivedTimeLimits, database: Database, base: Clock, startMs: number) {
    this.#limits = limits;
    const sinceMs = base.monotonicMs();
    this.clock = {
      nowMs: () => base.nowMs(),
      monotonicMs: () => base.monotonicMs(),
      livedMs: () => startMs + Math.floor(base.monotonicMs() - sinceMs),
      after: (delayMs, fire) => base.after(delayMs, fire),
    };
    this.calendar = {
      wallMs: (livedMs) => this.#wallMs(livedMs),
      isoTime: (livedMs) => isoTime(this.#wallMs(livedMs)),
    };
    this.#lived = livedRepository(database);
    this.#calendar = calendarRepository(database);
  }

  /**
   * Goes on from the last value that was written. A store without one has none, or its times are those of a wall
   * clock: there it begins at what that shows, and not before the newest of them.
   */
  static async resume(
    limits: LivedTimeLimits,
    database: Database,
    base: Clock,
    logger: Logger,
  ): Promise<LivedTime> {
    const stored = await readable(livedRepository(database).get(LIVED_KEY), logger);
    const calendar = await readable(calendarRepository(database).get(CALENDAR_KEY), logger);
    const entries = calendar?.entries ?? [];
    const lastMs = stored?.livedMs ?? Math.max(entries.at(-1)?.livedMs ?? 0, await newestTimeOf(database));
    const wallMs = stored === undefined ? Math.floor(base.nowMs()) : 0;
    const lived = new LivedTime(limits, database, base, Math.max(wallMs, lastMs));
    lived.#entries = entries;
    await database.batch(lived.operations());
    return lived;
  }

  /** What a batch that is written now takes along. */
  operations(): Operation[] {
    this.#look();
    const operations: Operation[] = [];
    const livedMs = this.clock.livedMs();
    if (livedMs !== this.#writtenMs) operations.push(this.#lived.put({ livedMs }));
    if (this.#entries !== this.#writtenEntries) {
      operations.push(this.#calendar.put({ entries: this.#entries }));
    }
    this.#writtenMs = livedMs;
    this.#writtenEntries = this.#entries;
    return operations;
  }

  /** Writes it also while nothing else is. */
  keep(queue: CommitQueue): Timer {
    const { livedEveryMs } = this.#limits;
    return every(this.clock, livedEveryMs, async () => {
      if (this.clock.livedMs() - this.#writtenMs < livedEveryMs / 2) return;
      await this.write(queue);
    });
  }

  async write(queue: CommitQueue): Promise<void> {
    try {
      // A batch takes the newest value along by itself.
      await queue.commit([]);
    } catch (error) {
      // A queue that cannot write has told the node so; one that is full writes it with what it holds.
      if (!UNWRITTEN.has(codeOf(error) ?? '')) throw error;
    }
  }

  /** Whether the wall clock has been set since the last look. */
  #look(): void {
    const wallMs = Math.floor(this.clock.nowMs());
    this.#entries = seenNow(this.#entries, this.clock.livedMs(), wallMs, this.#limits.calendarEntries);
  }

  #wallMs(livedMs: number): number {
    this.#look();
    return wallTimeOf(this.#entries, livedMs);
  }
}

function livedRepository(database: Database): Repository<LivedTimeRecord> {
  return new Repository(database, buckets.clock, () => LIVED_KEY, ['livedMs']);
}

function calendarRepository(database: Database): Repository<CalendarRecord> {
  return new Repository(database, buckets.clock, () => CALENDAR_KEY, ['entries']);
}

/** A damaged record here costs nothing but the right count: no node should stay down for it. */
async function readable<T>(reading: Promise<T | undefined>, logger: Logger): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (codeOf(error) !== 'RECORD_UNREADABLE') throw error;
    logger.warn('how long this node has lived cannot be read: it begins anew', { reason: messageOf(error) });
    return undefined;
  }
}
