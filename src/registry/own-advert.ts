import {
  type Advert,
  type AdvertContent,
  isBigChange,
  MOST_ADVERT_BYTES,
  VALIDITY_INTERVALS,
} from '../domain/market/advert.ts';
import type { Evidence, Notary } from '../domain/market/evidence.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { codeOf, messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import { type Random, randomFraction } from '../lib/random.ts';
import type { RegistryLimits } from './options.ts';
import type { AdvertPublisher } from './ports.ts';

/** Each interval is longer or shorter by up to this share, so that nodes that started together drift apart. */
const JITTER = 0.1;

/** What has changed much is told after this part of the interval, so changes cost at most so many times more. */
const CHANGED_PART = 4;

/** How often a node looks whether something has changed, as a part of its interval, and at most and least. */
const LOOK_PART = 8;
const LONGEST_LOOK_MS = 60_000;

/** The first adverts of a life follow each other faster: a mesh that just formed, or a restart, loses some. */
const FIRST_INTERVALS = 3;
const FIRST_INTERVAL_MS = 3000;
const FIRST_PART = 8;

/** Of an advert's validity: where the interval has grown since, the next one still comes before this one lapses. */
const LONGEST_WAIT_PART = 2 / 3;

export interface OwnAdvertNeeds {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly notary: Notary;
  readonly publisher: AdvertPublisher;
  readonly describe: () => AdvertContent | undefined;
  readonly intervalMs: () => number;
  /** Has it written down how long this node has lived. */
  readonly keepTime: () => void;
}

interface Published {
  readonly content: AdvertContent;
  readonly atMs: number;
  readonly validForMs: number;
  /** About 1: what the wait for the next one is multiplied with. */
  readonly jitter: number;
}

/** Tells the network what this node has: at an interval, soon after a big change, and when somebody comes to listen. */
export class OwnAdvert {
  readonly #limits: RegistryLimits;
  readonly #needs: OwnAdvertNeeds;
  #timer: Timer | undefined;
  #running = false;
  #sequence = 0;
  #published: Published | undefined;
  #count = 0;
  /** There are listeners that have not heard the last advert. */
  #awaited = false;
  #audienceSize = 0;
  #warned = false;

  constructor(limits: RegistryLimits, needs: OwnAdvertNeeds) {
    this.#limits = limits;
    this.#needs = needs;
  }

  start(): void {
    this.#running = true;
    this.#audienceSize = 0;
    this.audienceChanged();
    this.#look();
  }

  /** Takes leave of those who know this node. */
  stop(): void {
    if (!this.#running) return;
    this.#running = false;
    this.#timer?.cancel();
    if (this.#published !== undefined && this.#needs.publisher.audienceSize() > 0) {
      this.#send(this.#published.content, 0);
    }
  }

  /**
   * The first who listen hear of this node at once. Later ones only on a network that is small: on a large one they
   * come all the time, and cost must not grow with that.
   */
  audienceChanged(): void {
    if (!this.#running) return;
    const before = this.#audienceSize;
    this.#audienceSize = this.#needs.publisher.audienceSize();
    if (this.#audienceSize <= before) return;
    if (before > 0 && this.#needs.intervalMs() > this.#limits.baseIntervalMs) return;
    this.#awaited = true;
    this.#arm(this.#leftOf(this.#limits.minPublishGapMs));
  }

  /**
   * Who was refused for want of room hears soon that there is some, on a small network: on a large one something ends
   * somewhere all the time.
   */
  roomFreed(): void {
    const { meetUpTo, intervalPerPeerMs, minPublishGapMs } = this.#limits;
    const intervalMs = this.#needs.intervalMs();
    if (!this.#running || intervalMs > meetUpTo * intervalPerPeerMs) return;
    this.#awaited = true;
    this.#arm(this.#leftOf(Math.max(minPublishGapMs, intervalMs / LOOK_PART)));
  }

  #look(): void {
    if (!this.#running) return;
    const content = this.#needs.describe();
    if (content !== undefined && this.#audienceSize > 0 && this.#isDue(content)) this.#publish(content);
    this.#arm(this.#lookAgainMs());
  }

  #isDue(content: AdvertContent): boolean {
    if (this.#published === undefined) return true;
    if (this.#leftOf(this.#limits.minPublishGapMs) > 0) return false;
    if (this.#awaited || this.#leftOf(this.#waitMs(this.#published)) <= 0) return true;
    return this.#leftOf(this.#changedGapMs()) <= 0 && isBigChange(this.#published.content, content);
  }

  #publish(content: AdvertContent): void {
    const { clock, random } = this.#needs;
    const validForMs = Math.ceil(this.#needs.intervalMs() * VALIDITY_INTERVALS);
    const jitter = 1 + JITTER * (2 * randomFraction(random) - 1);
    this.#awaited = false;
    this.#published = { content, atMs: clock.monotonicMs(), validForMs, jitter };
    this.#send(content, validForMs);
  }

  /** From an advert to the next one when nothing happens. */
  #waitMs({ validForMs, jitter }: Published): number {
    const intervalMs = this.#needs.intervalMs();
    const firstMs =
      this.#count > FIRST_INTERVALS
        ? intervalMs
        : Math.max(FIRST_INTERVAL_MS, intervalMs / FIRST_PART) * 2 ** (this.#count - 1);
    return jitter * Math.min(intervalMs, firstMs, validForMs * LONGEST_WAIT_PART);
  }

  #send(content: AdvertContent, validForMs: number): void {
    const { logger, publisher } = this.#needs;
    try {
      publisher.publish(this.#signed(content, validForMs));
      this.#count += 1;
    } catch (error) {
      logger.warn('the advert of this node was not published', {
        code: codeOf(error),
        error: messageOf(error),
      });
    }
  }

  /** Labels go first when there are too many words: a node that is known without them is better than one unknown. */
  #signed(content: AdvertContent, validForMs: number): Evidence<Advert> {
    const { clock, notary, publisher, logger } = this.#needs;
    // Lived time is written down as an advert leaves, so a sequence of this life is above all those of lives before.
    this.#sequence = Math.max(this.#sequence + 1, clock.livedMs());
    this.#needs.keepTime();
    const advert: Advert = {
      ...content,
      validForMs,
      sequence: this.#sequence,
      providerRecord: publisher.peerRecord(),
    };
    const whole = notary.sign('advert', advert);
    if (whole.payload.length <= MOST_ADVERT_BYTES) return whole;
    if (!this.#warned) logger.warn('the labels of this node are too long to be told to others');
    this.#warned = true;
    return notary.sign<Advert>('advert', { ...advert, labels: {} });
  }

  #changedGapMs(): number {
    return Math.max(this.#limits.minPublishGapMs, this.#needs.intervalMs() / CHANGED_PART);
  }

  /** What is left of `gapMs` since the last advert. */
  #leftOf(gapMs: number): number {
    if (this.#published === undefined) return 0;
    return this.#published.atMs + gapMs - this.#needs.clock.monotonicMs();
  }

  #lookAgainMs(): number {
    const gapMs = this.#limits.minPublishGapMs;
    const lookMs = Math.max(gapMs, Math.min(LONGEST_LOOK_MS, this.#needs.intervalMs() / LOOK_PART));
    if (this.#published === undefined || this.#audienceSize === 0) return lookMs;
    const waitsMs = [lookMs, this.#leftOf(this.#waitMs(this.#published))];
    if (this.#awaited) waitsMs.push(this.#leftOf(gapMs));
    return Math.min(...waitsMs.filter((waitMs) => waitMs > 0));
  }

  #arm(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#needs.clock.after(Math.max(0, delayMs), () => this.#look());
  }
}
