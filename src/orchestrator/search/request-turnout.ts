import type { Patience } from '../../domain/trust/stranger-turnout.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Acquaintance } from '../ports.ts';

type Known = Pick<Acquaintance, 'answered' | 'asked' | 'hasKept' | 'patienceWith'>;

export interface LeavingRequest {
  readonly openedAtMs: number;
  /** Who has the request and something to offer has said so by then. */
  readonly dueMs: number;
  /** The same for those who never answered before. */
  readonly newcomersDueMs: number;
  /** It stays on the air until the answers are due, though nobody uses them any more. */
  readonly lingers: boolean;
  readonly strangersDue: number;
  /** Somebody else had it: strangers hear it from those who are connected, or not at all. */
  readonly wasHeard: boolean;
  /** Who was waited for. */
  readonly waited: readonly string[];
  readonly close: () => void;
}

/** Who answered one request, for what is known of providers afterwards. */
export class RequestTurnout {
  readonly #clock: Clock;
  readonly #acquaintance: Known;
  readonly #answered = new Set<string>();
  /** How long each was to be waited for, as it was when it was first asked for. */
  readonly #patience = new Map<string, Patience>();
  /** Who was connected when the request went out. */
  #connected: ReadonlySet<string> = new Set();
  #left = false;

  constructor(clock: Clock, acquaintance: Known) {
    this.#clock = clock;
    this.#acquaintance = acquaintance;
  }

  wentOut(audience: ReadonlySet<string>): void {
    this.#connected = audience;
  }

  answered(peer: string): void {
    if (this.#answered.size < MOST_COUNTED) this.#answered.add(peer);
    this.#acquaintance.answered(peer, !this.#connected.has(peer));
  }

  readonly patienceWith = (peer: string): Patience => {
    const known = this.#patience.get(peer);
    if (known !== undefined) return known;
    const patience = this.#acquaintance.patienceWith(peer);
    if (this.#patience.size < MOST_COUNTED) this.#patience.set(peer, patience);
    return patience;
  };

  /** What the window of the request goes by, with bids of these. */
  windowState(bidders: readonly string[]): {
    readonly patience: (peer: string) => Patience;
    readonly knownBid: boolean;
  } {
    const knownBid = bidders.some((peer) => this.#acquaintance.hasKept(peer));
    return { patience: this.patienceWith, knownBid };
  }

  leave(request: LeavingRequest): void {
    if (this.#left) return;
    this.#left = true;
    const leftMs = request.openedAtMs + request.dueMs - this.#clock.monotonicMs();
    if (!request.lingers || leftMs <= 0) {
      request.close();
      this.#count(request);
      return;
    }
    this.#clock.after(leftMs, () => {
      request.close();
      this.#count(request);
    });
  }

  /** Who had no time to answer is not blamed for it. */
  #count({ openedAtMs, dueMs, newcomersDueMs, strangersDue, wasHeard, waited }: LeavingRequest): void {
    const elapsedMs = this.#clock.monotonicMs() - openedAtMs;
    const isNewcomer = (peer: string): boolean => this.patienceWith(peer) === 'brief';
    const hadTime = waited.filter((peer) => elapsedMs >= (isNewcomer(peer) ? newcomersDueMs : dueMs));
    this.#acquaintance.asked({
      strangersDue: elapsedMs >= dueMs && wasHeard ? strangersDue : 0,
      newcomersDue: hadTime.filter(isNewcomer).length,
      silent: hadTime.filter((peer) => !this.#answered.has(peer)),
    });
  }
}

/** Of one request; more answers than this prove nothing more. */
const MOST_COUNTED = 4096;
