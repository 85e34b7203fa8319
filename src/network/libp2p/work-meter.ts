import { afterThisEvent, afterThisTurn, type Clock } from '../../lib/clock.ts';

/** What one chunk can be charged: a pause of the machine or of the garbage collector is nobody's fault. */
export const MOST_CHUNK_MS = 10;
/** What the socket and the system do for a chunk before this node sees it. */
const CHUNK_COST_MS = 0.01;

/** A connection, as far as its work is concerned. */
export interface WorkSource {
  /** Undefined before its handshake is over. */
  peer: string | undefined;
  /** Not told yet. */
  workMs: number;
  /** What it made this node work lately: half of it is forgotten in each second. */
  recentMs: number;
  recentAtMs: number;
}

export function newSource(): WorkSource {
  return { peer: undefined, workMs: 0, recentMs: 0, recentAtMs: 0 };
}

const HALF_LIFE_MS = 1000;

export type WorkClock = Pick<Clock, 'monotonicMs'>;

/**
 * How long this node works on what it reads from each connection. A chunk is charged what runs until all that followed
 * from it is done: decrypting, taking apart, decoding, answering, whoever does it. What waits for something else (a disk,
 * a timer) is not seen here; protocols that do so know their cost themselves.
 */
export class WorkMeter {
  readonly #clock: WorkClock;
  readonly #tell: (source: WorkSource, workMs: number) => void;
  readonly #spend: (workMs: number) => void;
  readonly #untold = new Set<WorkSource>();
  #source: WorkSource | undefined;
  #startedMs = 0;
  #watches = false;

  /** `spend` is told at once, and `tell` once for each source and turn. */
  constructor(
    clock: WorkClock,
    tell: (source: WorkSource, workMs: number) => void,
    spend: (workMs: number) => void = () => {},
  ) {
    this.#clock = clock;
    this.#tell = tell;
    this.#spend = spend;
  }

  /** What runs from here on is done for `source`, until the next one begins or nothing of it is left to run. */
  begin(source: WorkSource): void {
    const nowMs = this.#clock.monotonicMs();
    this.#settle(nowMs);
    this.#source = source;
    this.#startedMs = nowMs;
    if (this.#watches) return;
    this.#watches = true;
    afterThisEvent(() => {
      this.#watches = false;
      this.#settle(this.#clock.monotonicMs());
    });
  }

  #settle(nowMs: number): void {
    const source = this.#source;
    if (source === undefined) return;
    this.#source = undefined;
    const tookMs = nowMs - this.#startedMs;
    const workMs = CHUNK_COST_MS + Math.min(tookMs, MOST_CHUNK_MS);
    source.workMs += workMs;
    source.recentMs = source.recentMs * 2 ** ((source.recentAtMs - nowMs) / HALF_LIFE_MS) + workMs;
    source.recentAtMs = nowMs;
    this.#spend(tookMs);
    if (this.#untold.size === 0) afterThisTurn(() => this.#report());
    this.#untold.add(source);
  }

  #report(): void {
    const sources = [...this.#untold];
    this.#untold.clear();
    for (const source of sources) {
      const { workMs } = source;
      source.workMs = 0;
      this.#tell(source, workMs);
    }
  }
}
