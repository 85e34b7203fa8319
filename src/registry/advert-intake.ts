import { LRUCache } from 'lru-cache';
import { type Advert, isConsistentAdvert, VALIDITY_INTERVALS } from '../domain/market/advert.ts';
import { advertisedProvider } from '../domain/market/advert-matching.ts';
import type { Evidence } from '../domain/market/evidence.ts';
import type { Clock } from '../lib/clock.ts';
import type { RegistryLimits } from './options.ts';
import { peerHash } from './peer-hash.ts';
import type { PeerRow, PeerTable } from './peer-table.ts';
import type { AdvertHandler, StoredAdvert } from './ports.ts';
import type { ProviderStanding } from './provider-standing.ts';
import { TOUCH } from './seen-providers.ts';
import type { SizeSketch } from './size-sketch.ts';

/** A message can be issued 5 minutes ahead and stay believable for 5 minutes after that. */
const REPLAY_WINDOW_MS = 10 * 60_000;

/** Adverts of one signer that come faster than this part of the interval are not taken; a restart is not held up for longer. */
const HEARD_GAP_PART = 16;
const LONGEST_HEARD_GAP_MS = 30_000;

/** What an advert turned out to be; closed, for counting. */
export type IntakeOutcome =
  | 'taken'
  | 'left'
  | 'old'
  | 'too-soon'
  | 'own'
  | 'inconsistent'
  | 'displaced'
  | 'expired';

export interface IntakeNeeds {
  readonly clock: Clock;
  readonly self: string;
  /** Secret of this node. */
  readonly salt: Uint8Array;
  readonly table: PeerTable;
  readonly sketch: SizeSketch;
  readonly standing: Pick<ProviderStanding, 'isSeen' | 'note'>;
  /** The row of the peer is new, or has changed, or is gone: it should be written. */
  readonly changed: (peer: string) => void;
  /** This node's present interval. */
  readonly intervalMs: () => number;
}

interface Heard {
  readonly sequence: number;
  /** Lived time. */
  readonly knownSince: number;
  readonly heardAtMs: number;
  readonly left: boolean;
}

/** Takes adverts in: cheap, synchronous, and bounded whatever comes. */
export class AdvertIntake implements Pick<AdvertHandler, 'take' | 'isNews'> {
  readonly #limits: RegistryLimits;
  readonly #needs: IntakeNeeds;
  /** Also of signers that the table has no room for. */
  readonly #heard: LRUCache<string, Heard>;
  readonly #counts: Record<IntakeOutcome, number> = {
    taken: 0,
    left: 0,
    old: 0,
    'too-soon': 0,
    own: 0,
    inconsistent: 0,
    displaced: 0,
    expired: 0,
  };

  constructor(limits: RegistryLimits, needs: IntakeNeeds) {
    this.#limits = limits;
    this.#needs = needs;
    this.#heard = new LRUCache({ max: limits.rememberedSigners });
  }

  get counts(): Readonly<Record<IntakeOutcome, number>> {
    return this.#counts;
  }

  take(advert: Evidence<Advert>): 'accept' | 'ignore' | 'reject' {
    const { signer, value } = advert;
    const nowMs = this.#needs.clock.monotonicMs();
    const refusal = this.#refusalOf(signer, value, nowMs);
    if (refusal !== undefined) {
      this.#counts[refusal] += 1;
      return refusal === 'inconsistent' ? 'reject' : 'ignore';
    }
    const left = value.validForMs === 0;
    const livedMs = this.#needs.clock.livedMs();
    const knownSince = this.#heard.get(signer)?.knownSince ?? livedMs;
    this.#heard.set(signer, { sequence: value.sequence, heardAtMs: nowMs, left, knownSince });
    if (left) this.#forget(signer);
    else this.#keep(advert, { receivedAt: livedMs, knownSince }, value.validForMs, false);
    this.#counts[left ? 'left' : 'taken'] += 1;
    return 'accept';
  }

  isNews(signer: string): boolean {
    return !this.#heard.has(signer) && !this.#needs.standing.isSeen(signer);
  }

  /** An advert from before the restart: what is left of its time counts. */
  restore({ evidence, receivedAt, knownSince = receivedAt, touch = TOUCH.none }: StoredAdvert): void {
    const { clock, self, changed, standing } = this.#needs;
    const { signer, value } = evidence;
    standing.note(signer, touch);
    const validForMs = this.#believedMs(signer, value.validForMs, receivedAt - knownSince);
    const leftMs = Math.min(validForMs, receivedAt + validForMs - clock.livedMs());
    const newer = (this.#heard.get(signer)?.sequence ?? -1) >= value.sequence;
    if (leftMs <= 0 || newer || signer === self) {
      if (!newer) changed(signer);
      return;
    }
    this.#heard.set(signer, {
      sequence: value.sequence,
      heardAtMs: Number.NEGATIVE_INFINITY,
      left: false,
      knownSince,
    });
    this.#keep(evidence, { receivedAt, knownSince }, leftMs, true);
  }

  /** Removes what is believed no longer. */
  expire(): void {
    const nowMs = this.#needs.clock.monotonicMs();
    const expired = this.#needs.table.expire(nowMs);
    for (const peer of expired) this.#needs.changed(peer);
    this.#needs.sketch.expire(nowMs);
    this.#counts.expired += expired.length;
  }

  #refusalOf(signer: string, advert: Advert, nowMs: number): IntakeOutcome | undefined {
    const { self, table } = this.#needs;
    if (signer === self) return 'own';
    const known = this.#heard.get(signer);
    // A node whose clock was set back is believed again once its last advert is forgotten.
    const remembered =
      known !== undefined && (table.get(signer) !== undefined || nowMs - known.heardAtMs < REPLAY_WINDOW_MS);
    if (remembered) {
      if (advert.sequence <= known.sequence) return 'old';
      const leaves = advert.validForMs === 0 && !known.left;
      if (!leaves && nowMs - known.heardAtMs < this.#gapMs()) return 'too-soon';
    }
    return isConsistentAdvert(advert) ? undefined : 'inconsistent';
  }

  #gapMs(): number {
    const partMs = Math.min(LONGEST_HEARD_GAP_MS, this.#needs.intervalMs() / HEARD_GAP_PART);
    return Math.max(this.#limits.minHeardGapMs, partMs);
  }

  /**
   * How long an advert is believed that says so itself: with whom this node has never been in touch no longer than it
   * has been known, so that what was made up in a moment is over soon, and what lives long is known the longer for it.
   */
  #believedMs(signer: string, validForMs: number, knownForMs: number): number {
    const { longestValidityMs, newcomerValidityMs } = this.#limits;
    const longestMs = this.#needs.standing.isSeen(signer)
      ? longestValidityMs
      : Math.max(newcomerValidityMs, knownForMs);
    return Math.min(validForMs, longestMs, longestValidityMs);
  }

  #keep(
    evidence: Evidence<Advert>,
    { receivedAt, knownSince }: Pick<PeerRow, 'receivedAt' | 'knownSince'>,
    leftMs: number,
    fromBefore: boolean,
  ): void {
    const { clock, salt, table, sketch, changed } = this.#needs;
    const { signer, value } = evidence;
    const nowMs = clock.monotonicMs();
    const forMs = this.#believedMs(signer, leftMs, receivedAt - knownSince);
    const deadlineMs = nowMs + forMs;
    const hash = peerHash(salt, signer);
    const intervalMs = Math.min(value.validForMs / VALIDITY_INTERVALS, this.#limits.longestIntervalMs);
    sketch.add({ peer: signer, hash, deadlineMs, intervalMs, fromBefore }, nowMs);
    const { displaced } = table.put({
      ...advertisedProvider(signer, value),
      advert: value,
      providerRecord: value.providerRecord,
      evidence,
      receivedAt,
      knownSince,
      expiresAt: clock.livedMs() + forMs,
      deadlineMs,
      hash,
    });
    if (displaced !== undefined) {
      this.#counts.displaced += 1;
      changed(displaced);
    }
    if (displaced !== signer && !fromBefore) changed(signer);
  }

  #forget(signer: string): void {
    this.#needs.sketch.remove(signer);
    if (this.#needs.table.delete(signer)) this.#needs.changed(signer);
  }
}
