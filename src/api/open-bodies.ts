import { afterThisTurn, type Clock, every, type Timer } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import type { ApiOptions } from './options.ts';

type BodyOptions = Pick<
  ApiOptions,
  'openBodiesBytes' | 'maxWaitingBodies' | 'bodyWaitMs' | 'leastBytesPerSecond'
>;

/** How often it is looked at who comes too slowly, while others wait. */
const LOOK_MS = 250;
/** For so long a body may come more slowly than it should, or not at all. */
const PATIENCE_MS = 1000;
const SECOND_MS = 1000;

/** Room that one body has. */
export interface BodyRoom {
  /** Aborted when the body comes too slowly and others need the room, and by {@link end}. */
  readonly signal: AbortSignal;
  end(reason: Error): void;
  /** To be told when more is waited for, */
  awaits(): void;
  /** and of what has come. */
  received(bytes: number): void;
  /** All of it is there: it is not taken away any more. */
  complete(): void;
  /** Gives the room back; again is the same. */
  release(): void;
}

interface Occupant {
  readonly bytes: number;
  readonly ended: AbortController;
  /** Gained with every byte, lost while more is waited for: what came long ago counts for nothing. */
  patienceMs: number;
  awaitsSinceMs: number | undefined;
}

interface Applicant {
  readonly bytes: number;
  readonly admit: () => void;
}

/**
 * The memory for bodies that are on their way, as one sum. Each takes its room before its first byte is read; what
 * waits costs only what the connection had read ahead. Whoever has room and hardly sends makes it free for them.
 */
export class OpenBodies {
  readonly #clock: Clock;
  readonly #options: BodyOptions;
  readonly #occupants = new Set<Occupant>();
  readonly #applicants: Applicant[] = [];
  #free: number;
  #looking: Timer | undefined;

  constructor(clock: Clock, options: BodyOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#free = options.openBodiesBytes;
  }

  get takenBytes(): number {
    return this.#options.openBodiesBytes - this.#free;
  }

  /** Room for so many bytes, where there is some and nobody waits for it. */
  enterNow(bytes: number): BodyRoom | undefined {
    if (this.#free < bytes || this.#applicants.length > 0) return undefined;
    this.#free -= bytes;
    return this.#roomOf(bytes);
  }

  /** Room for so many bytes, in the order of asking. Throws `BODIES_FULL`, and what `gone` is aborted with. */
  async enter(bytes: number, gone: AbortSignal): Promise<BodyRoom> {
    const room = this.enterNow(bytes);
    if (room !== undefined) return room;
    if (this.#applicants.length >= this.#options.maxWaitingBodies) throw full();
    await this.#wait(bytes, gone);
    return this.#roomOf(bytes);
  }

  #roomOf(bytes: number): BodyRoom {
    const occupant: Occupant = {
      bytes,
      ended: new AbortController(),
      patienceMs: PATIENCE_MS,
      awaitsSinceMs: undefined,
    };
    this.#occupants.add(occupant);
    return {
      signal: occupant.ended.signal,
      end: (reason) => occupant.ended.abort(reason),
      awaits: () => {
        occupant.awaitsSinceMs = this.#clock.monotonicMs();
      },
      received: (more) => {
        const gainedMs = (more * SECOND_MS) / this.#options.leastBytesPerSecond;
        occupant.patienceMs = Math.min(PATIENCE_MS, this.#patienceMs(occupant) + gainedMs);
        occupant.awaitsSinceMs = undefined;
      },
      complete: () => {
        occupant.awaitsSinceMs = undefined;
      },
      release: () => this.#leave(occupant),
    };
  }

  /** What is left of it. */
  #patienceMs({ patienceMs, awaitsSinceMs }: Occupant): number {
    return awaitsSinceMs === undefined
      ? patienceMs
      : patienceMs - (this.#clock.monotonicMs() - awaitsSinceMs);
  }

  #wait(bytes: number, gone: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void): void => {
        const at = this.#applicants.indexOf(applicant);
        if (at >= 0) this.#applicants.splice(at, 1);
        if (this.#applicants.length === 0) this.#stopLooking();
        deadline.cancel();
        gone.removeEventListener('abort', leave);
        outcome();
      };
      const leave = (): void => settle(() => reject(gone.reason));
      const applicant: Applicant = { bytes, admit: () => settle(resolve) };
      const deadline = this.#clock.after(this.#options.bodyWaitMs, () => settle(() => reject(full())));
      gone.addEventListener('abort', leave, { once: true });
      this.#applicants.push(applicant);
      this.#looking ??= every(this.#clock, LOOK_MS, () => this.#makeRoom());
      if (gone.aborted) leave();
    });
  }

  #leave(occupant: Occupant): void {
    if (!this.#occupants.delete(occupant)) return;
    this.#free += occupant.bytes;
    // Where many leave at once, those who have left are not to be let in first.
    if (this.#applicants.length > 0) afterThisTurn(() => this.#admit());
  }

  #admit(): void {
    for (
      let [next] = this.#applicants;
      next !== undefined && next.bytes <= this.#free;
      [next] = this.#applicants
    ) {
      this.#free -= next.bytes;
      next.admit();
    }
  }

  #makeRoom(): void {
    for (const occupant of this.#occupants) {
      const isAwaited = occupant.awaitsSinceMs !== undefined;
      if (isAwaited && this.#patienceMs(occupant) < 0) occupant.ended.abort(tooSlow());
    }
  }

  #stopLooking(): void {
    this.#looking?.cancel();
    this.#looking = undefined;
  }
}

/** Of a body that needs none. */
export function noRoom(): BodyRoom {
  const ended = new AbortController();
  return {
    signal: ended.signal,
    end: (reason) => ended.abort(reason),
    awaits: () => {},
    received: () => {},
    complete: () => {},
    release: () => {},
  };
}

function full(): CodedError {
  return new CodedError('BODIES_FULL', 'Too many large bodies are on their way to this node. Try again.');
}

function tooSlow(): CodedError {
  return new CodedError('REQUEST_TIMEOUT', 'The body came too slowly while others waited. Send it again.');
}
