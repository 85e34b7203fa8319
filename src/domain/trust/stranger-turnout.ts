/**
 * Whether those that this node has never been in touch with are worth counting on: `proven` by answers, `silent` when
 * as many as they say they are should have answered and did not, `untried` as long as nobody knows.
 */
export type StrangerStanding = 'untried' | 'proven' | 'silent';

/** What is known of the providers that this node has never been in touch with. */
export interface Strangers {
  /** How many there are, as their adverts have it. */
  readonly claimed: number;
  /** How many others there are: those that this node has been in touch with. */
  readonly known: number;
  /** In (0, 1]: the part of the claimed ones that answers when it is asked. */
  readonly rate: number;
  readonly standing: StrangerStanding;
}

/** What came of a request that is off the air. */
export interface AskingOutcome {
  /** So many strangers should have answered by what their adverts say, as they had the time to. */
  readonly strangersDue: number;
  /** Connected providers that had never answered before, and were waited for. */
  readonly newcomersDue: number;
  /** Who was waited for in vain. */
  readonly silent: readonly string[];
}

/**
 * How long a search waits for a provider that has the request: for one that answers as long as it takes, for one that
 * never has but a moment (where somebody known has bid, only one search at a time does so), and not at all for one that
 * was waited for in vain before.
 */
export type Patience = 'full' | 'brief' | 'brief-elsewhere' | 'none';

export interface StrangerTurnoutLimits {
  /** Half of what was learned is forgotten after this. */
  readonly halfLifeMs: number;
  /** Answers that were due count up to here, so that a network that comes true is believed again. */
  readonly mostExpected: number;
}

/** What is supposed before anything is known: that they are there. */
const SUPPOSED = 2;

/** So many answers must have been due before their absence says anything. */
const TELLING = 5;
const SILENT_BELOW = 1 / 16;

/** So many answers prove that there is somebody, and this many of those due that there are not only a few. */
const PROOFS = 2;
const PROVEN_FROM = 1 / 10;

/** A network whose members are busy answers less than its adverts let hope for: it is no smaller for that. */
const BUSY = 8;

/**
 * How many of the providers that are known by their adverts alone answer when they are asked. Anybody can make up
 * adverts; nobody can make up answers, as each comes over a connection of its own. Pure: it is told the time.
 */
export class StrangerTurnout {
  readonly #limits: StrangerTurnoutLimits;
  #expected = 0;
  #answered = 0;
  #atMs = 0;

  constructor(limits: StrangerTurnoutLimits) {
    this.#limits = limits;
  }

  /** A request is over in which so many strangers should have answered, by what their adverts say. */
  asked(expected: number, nowMs: number): void {
    this.#decay(nowMs);
    this.#expected = Math.min(this.#limits.mostExpected, this.#expected + Math.max(0, expected));
  }

  /** One of them did. */
  answered(nowMs: number): void {
    this.#decay(nowMs);
    this.#answered = Math.min(this.#limits.mostExpected, this.#answered + 1);
  }

  /** In (0, 1]: the part of them that answers. */
  rate(nowMs: number): number {
    this.#decay(nowMs);
    return Math.min(1, (this.#answered + SUPPOSED) / (this.#expected + SUPPOSED));
  }

  /** In [0, 1]: the part of them that is there, busy or not. */
  credit(nowMs: number): number {
    if (this.standing(nowMs) === 'silent') return 0;
    return Math.min(1, (BUSY * this.rate(nowMs)) ** 2);
  }

  standing(nowMs: number): StrangerStanding {
    const rate = this.rate(nowMs);
    if (this.#answered >= PROOFS && rate >= PROVEN_FROM) return 'proven';
    if (this.#expected < TELLING) return 'untried';
    return this.#answered < this.#expected * SILENT_BELOW ? 'silent' : 'untried';
  }

  #decay(nowMs: number): void {
    const left = 2 ** (-Math.max(0, nowMs - this.#atMs) / this.#limits.halfLifeMs);
    this.#expected *= left;
    this.#answered *= left;
    this.#atMs = Math.max(this.#atMs, nowMs);
  }
}
