import { afterThisTurn, type Clock, every, type Timer } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import type { ApiOptions } from './options.ts';

type BodyOptions = Pick<
  ApiOptions,
  'openBodiesBytes' | 'maxWaitingBodies' | 'bodyWaitMs' | 'leastBytesPerSecond'
>;

/** How often it is looked at who comes too slowly, while others wait. */
const LOOK_MS = 250;
const SECOND_MS = 1000;

/** Room that one body has. */
export interface BodyRoom {
  /** Aborted when the body comes too slowly and others need the room, and by {@link end}. */
  readonly signal: AbortSignal;
  end(reason: Error): void;
  /** To be told of what has come. */
  received(bytes: number): void;
  /** All of it is there: it is not taken away any more. */
  complete(): void;
  /** Gives the room back; again is the same. */
  release(): void;
}

interface Occupant {
  readonly bytes: number;
  readonly sinceMs: number;
  readonly ended: AbortController;
  received: number;
  complete: boolean;
}

interface Applicant {
  readonly bytes: number;
  readonly admit: () => void;
}

/**
 * The memory for bodies that are on their way, as one sum. Each takes its room before its first byte is read; what
 * waits costs only what the connection had read ahead, so few may. Whoever has room and hardly sends makes it free for them.
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

  /** Room for so many bytes, in the order of asking. Throws `BODIES_FULL`, and what `gone` is aborted with. */
  async enter(bytes: number, gone: AbortSignal): Promise<BodyRoom> {
    if (this.#free >= bytes && this.#applicants.length === 0) this.#free -= bytes;
    else if (this.#applicants.length >= this.#options.maxWaitingBodies) throw full();
    else await this.#wait(bytes, gone);
    const occupant: Occupant = {
      bytes,
      sinceMs: this.#clock.monotonicMs(),
      ended: new AbortController(),
      received: 0,
      complete: false,
    };
    this.#occupants.add(occupant);
    return {
      signal: occupant.ended.signal,
      end: (reason) => occupant.ended.abort(reason),
      received: (more) => {
        occupant.received += more;
      },
      complete: () => {
        occupant.complete = true;
      },
      release: () => this.#leave(occupant),
    };
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
    const now = this.#clock.monotonicMs();
    for (const { sinceMs, received, complete, ended } of this.#occupants) {
      const elapsedMs = now - sinceMs;
      const due = ((elapsedMs - SECOND_MS) * this.#options.leastBytesPerSecond) / SECOND_MS;
      if (!complete && elapsedMs > SECOND_MS && received < due) ended.abort(tooSlow());
    }
  }

  #stopLooking(): void {
    this.#looking?.cancel();
    this.#looking = undefined;
  }
}

function full(): CodedError {
  return new CodedError('BODIES_FULL', 'Too many large bodies are on their way to this node. Try again.');
}

function tooSlow(): CodedError {
  return new CodedError('REQUEST_TIMEOUT', 'The body came too slowly while others waited. Send it again.');
}
