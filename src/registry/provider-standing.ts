import { LRUCache } from 'lru-cache';
import {
  type AskingOutcome,
  type Patience,
  type Strangers,
  StrangerTurnout,
} from '../domain/trust/stranger-turnout.ts';
import type { Clock } from '../lib/clock.ts';
import type { RegistryLimits } from './options.ts';
import { SeenProviders, TOUCH, type Touch } from './seen-providers.ts';
import type { HeardSize, SizeSketch } from './size-sketch.ts';

/** Who is connected and has never answered is waited for a moment, as long as so many of its like answer. */
const NEWCOMERS_WAITED_FOR = 1 / 2;

/** So long it is not known what one is worth that was taken at its word for the first time. */
const TRIAL_MS = 10_000;
/** One that did not stand by its word keeps the others of its kind waiting: it may be all of them. */
const BROKEN_TRIAL_MS = 60_000;
const MOST_ON_TRIAL = 64;

/** As long as a search waits at most for one that never answered: by then it is known what came of it. */
const AWAITED_MS = 1000;
const MOST_AWAITED = 1024;

/** Bids of those that kept no contract yet are as good as others, as long as so many of them stand by theirs. */
const BIDDERS_TRUSTED = 1 / 2;

/** Asked several times with every search, and slow to change. */
const COUNT_KEPT_MS = 1000;

export interface StandingNeeds {
  readonly clock: Clock;
  /** Named by the user: as well known as those that kept contracts. */
  readonly preferred: ReadonlySet<string>;
  readonly isConnected: (peer: string) => boolean;
  readonly sketch: SizeSketch;
}

/**
 * What providers are worth to this node by more than their word: with which of them it has been in touch, and how many
 * of the others answer when they are asked.
 */
export class ProviderStanding {
  readonly #needs: StandingNeeds;
  readonly #seen: SeenProviders;
  /** Of those that are known by their adverts alone. */
  readonly #strangers: StrangerTurnout;
  /** Of those that are connected and have never answered. */
  readonly #newcomers: StrangerTurnout;
  /** Of those that were taken at the word of their bid, and had kept none before. */
  readonly #bidders: StrangerTurnout;
  /** Until when each is on trial. */
  readonly #onTrial = new LRUCache<string, number>({ max: MOST_ON_TRIAL });
  /** Until when a search waits for each newcomer. */
  readonly #awaited = new LRUCache<string, number>({ max: MOST_AWAITED });
  #counted: { readonly size: HeardSize; readonly untilMs: number } | undefined;

  constructor(limits: RegistryLimits, needs: StandingNeeds) {
    const turnout = { halfLifeMs: limits.turnoutHalfLifeMs, mostExpected: limits.turnoutCounted };
    this.#needs = needs;
    this.#seen = new SeenProviders(limits.seenProviders);
    this.#strangers = new StrangerTurnout(turnout);
    this.#newcomers = new StrangerTurnout(turnout);
    this.#bidders = new StrangerTurnout(turnout);
  }

  touchOf(peer: string): Touch {
    if (this.#needs.preferred.has(peer)) return TOUCH.kept;
    const touch = this.#seen.touchOf(peer);
    return touch === TOUCH.none && this.#needs.isConnected(peer) ? TOUCH.met : touch;
  }

  isSeen(peer: string): boolean {
    return this.touchOf(peer) > TOUCH.none;
  }

  note(peer: string, touch: Touch): void {
    this.#seen.note(peer, touch);
  }

  /** It has bid, or said no. A stranger connects to do so, and is none any more by then. */
  answered(peer: string, came: boolean): void {
    const touch = this.#needs.preferred.has(peer) ? TOUCH.kept : this.#seen.touchOf(peer);
    if (came && touch === TOUCH.none) this.#strangers.answered(this.#nowMs);
    if (touch < TOUCH.answered) this.#newcomers.answered(this.#nowMs);
    this.#seen.note(peer, TOUCH.answered);
  }

  kept(peer: string): void {
    if (this.#seen.touchOf(peer) < TOUCH.kept) this.#bidders.answered(this.#nowMs);
    this.#onTrial.delete(peer);
    this.#seen.note(peer, TOUCH.kept);
  }

  /** It did not answer when it was taken at the word of its bid. */
  broke(peer: string): void {
    if (this.#seen.touchOf(peer) >= TOUCH.kept) return;
    this.#bidders.asked(1, this.#nowMs);
    this.#onTrial.set(peer, this.#nowMs + BROKEN_TRIAL_MS);
  }

  /** Those that have kept no contract yet get one job at a time, all of them together, where others have bid. */
  taken(peer: string): void {
    if (this.touchOf(peer) < TOUCH.kept) this.#onTrial.set(peer, this.#nowMs + TRIAL_MS);
  }

  /** Whether it has kept none, and it or another one that has kept none is tried right now: names cost nothing. */
  isOnTrial(peer: string): boolean {
    if (this.touchOf(peer) >= TOUCH.kept) return false;
    return [...this.#onTrial.values()].some((untilMs) => this.#nowMs < untilMs);
  }

  get isWary(): boolean {
    return this.#bidders.rate(this.#nowMs) < BIDDERS_TRUSTED;
  }

  asked({ strangersDue, newcomersDue, silent }: AskingOutcome): void {
    this.#strangers.asked(strangersDue, this.#nowMs);
    this.#newcomers.asked(newcomersDue, this.#nowMs);
    for (const peer of silent) this.#seen.wasSilent(peer, this.#nowMs);
  }

  isWorthWaiting(peer: string): boolean {
    return this.#seen.isWorthWaiting(peer, this.#nowMs);
  }

  /** Asked once by each search that has the peer in its audience: the first is the one that waits. */
  patienceWith(peer: string): Patience {
    if (!this.isWorthWaiting(peer)) return 'none';
    if (this.touchOf(peer) >= TOUCH.answered) return 'full';
    if (this.#newcomers.rate(this.#nowMs) < NEWCOMERS_WAITED_FOR) return 'none';
    if (this.#nowMs < (this.#awaited.get(peer) ?? 0)) return 'brief-elsewhere';
    this.#awaited.set(peer, this.#nowMs + AWAITED_MS);
    return 'brief';
  }

  strangers(): Strangers {
    const { seen, unseen } = this.#heard();
    return {
      claimed: unseen,
      known: seen,
      rate: this.#strangers.rate(this.#nowMs),
      standing: this.#strangers.standing(this.#nowMs),
    };
  }

  get areStrangersSilent(): boolean {
    return this.#strangers.standing(this.#nowMs) === 'silent';
  }

  /** How many other providers there are, about: those that are known count, the others as far as their like answer. */
  believedSize(): number {
    const { seen, unseen } = this.#heard();
    return Math.round(seen + unseen * this.#strangers.credit(this.#nowMs));
  }

  #heard(): HeardSize {
    const nowMs = this.#nowMs;
    if (this.#counted === undefined || nowMs >= this.#counted.untilMs) {
      const size = this.#needs.sketch.heard(nowMs, (peer) => this.isSeen(peer));
      this.#counted = { size, untilMs: nowMs + COUNT_KEPT_MS };
    }
    return this.#counted.size;
  }

  get #nowMs(): number {
    return this.#needs.clock.monotonicMs();
  }
}
