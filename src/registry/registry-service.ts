import type { Advert, AdvertContent } from '../domain/advert.ts';
import { advertisedProvider, type AdvertQuery, compareAdvert } from '../domain/advert-matching.ts';
import type { SeenFits } from '../domain/answering.ts';
import type { Requirements } from '../domain/bid.ts';
import type { Evidence } from '../domain/evidence.ts';
import {
  type AskingOutcome,
  type Patience,
  type Strangers,
  StrangerTurnout,
} from '../domain/stranger-turnout.ts';
import { every, type Timer } from '../lib/clock.ts';
import { codeOf, messageOf } from '../lib/coded-error.ts';
import { TokenBucket } from '../lib/token-bucket.ts';
import { Acquaintances } from './acquaintances.ts';
import { AdvertIntake } from './advert-intake.ts';
import type {
  CandidateOptions,
  ExplainOptions,
  IndirectProviders,
  PeerEntry,
  Registry,
  RegistryNeeds,
} from './index.ts';
import type { RegistryOptions } from './options.ts';
import { OwnAdvert } from './own-advert.ts';
import { peerHash } from './peer-hash.ts';
import { type PeerRow, PeerTable } from './peer-table.ts';
import type { AdvertDesk } from './ports.ts';
import {
  acquaintedOf,
  type AdvertCandidate,
  candidatesOf,
  explanationOf,
  fitsOf,
  type JudgedProvider,
  type TableExplanation,
} from './questions.ts';
import { SeenProviders, TOUCH, type Touch } from './seen-providers.ts';
import { SizeSketch } from './size-sketch.ts';
import { TableSaver } from './table-saver.ts';

const SALT_BYTES = 16;
/** Asked with every search: enough to tell a tenth of the network from the rest. */
const FITS_COMPARED = 512;
const SWEEP_EVERY_MS = 10_000;
/** An estimate is asked for with every search and every advert, and changes slowly. */
const ESTIMATE_KEPT_MS = 1000;
const TURNOUT = { halfLifeMs: 10 * 60_000, mostExpected: 256 };
/** Words of more room by those whom this node only knows by their adverts, that wake jobs which wait for some. */
const ROOM_OF_STRANGERS = { burst: 8, perSecond: 1 / 5 };
const STRANGERS_WAITED_FOR = 3;
/** A store that was full when its node died may hold rows that had left the table. */
const LOADED_TABLES = 2;

function entryOf({ peer, advert, receivedAt, expiresAt }: PeerRow): PeerEntry {
  return { peerId: peer, advert, receivedAt, expiresAt };
}

/** Joins table, intake, this node's own advert and the disk. */
export class RegistryService implements Registry, AdvertDesk {
  readonly #options: RegistryOptions;
  readonly #needs: RegistryNeeds;
  readonly #salt: Uint8Array;
  readonly #table: PeerTable;
  readonly #sketch: SizeSketch;
  readonly #seen: SeenProviders;
  readonly #turnout = new StrangerTurnout(TURNOUT);
  /** The same of those that are connected and have not answered yet. */
  readonly #newcomers = new StrangerTurnout(TURNOUT);
  readonly #preferred: ReadonlySet<string>;
  readonly #intake: AdvertIntake;
  readonly #saver: TableSaver;
  readonly #own: OwnAdvert | undefined;
  readonly #acquaintances: Acquaintances;
  readonly #roomOfStrangers: TokenBucket;
  #sweeps: Timer | undefined;
  #estimate: { readonly size: number; readonly untilMs: number } | undefined;

  constructor(options: RegistryOptions, needs: RegistryNeeds) {
    const { limits } = options;
    const { clock, random, logger, self, store, publisher, notary, describe } = needs;
    this.#preferred = new Set(options.preferredPeers);
    this.#seen = new SeenProviders(limits.seenProviders);
    this.#roomOfStrangers = new TokenBucket(ROOM_OF_STRANGERS, clock);
    const intervalMs = (): number => this.#intervalMs();
    this.#options = options;
    this.#needs = needs;
    this.#salt = random.bytes(SALT_BYTES);
    const isSeen = (peer: string): boolean => this.#touchOf(peer) > TOUCH.none;
    this.#table = new PeerTable(limits.maxPeers, (peer) => this.#preferred.has(peer) || isSeen(peer));
    this.#sketch = new SizeSketch(limits.sampledPeers, limits.baseIntervalMs);
    const touchOf = (peer: string): Touch => this.#touchOf(peer);
    this.#saver = new TableSaver(limits, { clock, logger, store, table: this.#table, touchOf });
    this.#intake = new AdvertIntake(limits, {
      clock,
      self,
      salt: this.#salt,
      table: this.#table,
      sketch: this.#sketch,
      isSeen,
      seen: this.#seen,
      changed: (peer) => this.#saver.changed(peer),
      intervalMs,
    });
    this.#acquaintances = new Acquaintances(limits, {
      self,
      isHeardOf: describe !== undefined,
      clock,
      publisher,
      isKnown: (peer) => this.#table.get(peer) !== undefined,
      isSeen,
    });
    this.#own =
      describe === undefined
        ? undefined
        : new OwnAdvert(limits, {
            clock,
            random,
            logger,
            notary,
            publisher,
            describe,
            intervalMs,
            keepTime: () => {
              needs.store.keepTime().catch((error: unknown) => {
                logger.debug('lived time was not written', { error: messageOf(error) });
              });
            },
          });
  }

  get desk(): AdvertDesk {
    return this;
  }

  async start(): Promise<void> {
    const { clock, logger, store } = this.#needs;
    try {
      const stored = await store.load(this.#options.limits.maxPeers * LOADED_TABLES);
      for (const advert of stored.toSorted((a, b) => a.receivedAt - b.receivedAt))
        this.#intake.restore(advert);
    } catch (error) {
      logger.warn('the peer table starts empty', { code: codeOf(error), error: messageOf(error) });
    }
    this.#saver.start();
    this.#sweeps = every(clock, SWEEP_EVERY_MS, () => {
      this.#intake.expire();
      this.#acquaintances.sweep();
    });
    this.#own?.start();
  }

  async stop(): Promise<void> {
    if (this.#sweeps === undefined) return;
    this.#sweeps.cancel();
    this.#sweeps = undefined;
    this.#own?.stop();
    await this.#saver.stop();
  }

  take(advert: Evidence<Advert>): 'accept' | 'ignore' | 'reject' {
    const known = this.#table.get(advert.signer);
    const before = known !== undefined;
    const verdict = this.#intake.take(advert);
    const row = this.#table.get(advert.signer);
    if (verdict === 'accept' && row !== undefined)
      this.#acquaintances.heard(row.peer, row.providerRecord, before, this.sizeEstimate());
    if (verdict === 'accept' && row !== undefined && this.#mayHaveRoom(known?.advert, row.advert)) {
      if (this.#touchOf(row.peer) > TOUCH.none || this.#roomOfStrangers.take())
        this.#needs.onMoreRoom?.(row.peer);
    }
    return verdict;
  }

  isNews(signer: string): boolean {
    return this.#intake.isNews(signer);
  }

  /** On a small network every advert may be the word of freed room: what was taken in between was not told. */
  #mayHaveRoom(before: AdvertContent | undefined, now: AdvertContent): boolean {
    return hasMoreRoom(before, now) || this.sizeEstimate() <= this.#options.limits.meetUpTo;
  }

  /** This node's own provider has room again that it had refused to somebody. */
  roomFreed(): void {
    this.#own?.roomFreed();
    this.#needs.onMoreRoom?.(this.#needs.self);
  }

  peerDisconnected(peer: string): void {
    if (this.#table.get(peer) !== undefined) this.#seen.note(peer, TOUCH.met);
    this.#acquaintances.disconnected(peer);
  }

  audienceChanged(): void {
    this.#acquaintances.audienceChanged();
    this.#own?.audienceChanged();
  }

  peers(): readonly PeerEntry[] {
    return this.#liveRows()
      .map(entryOf)
      .sort((a, b) => (a.peerId < b.peerId ? -1 : 1));
  }

  peer(peerId: string): PeerEntry | undefined {
    const row = this.#table.get(peerId);
    return row !== undefined && this.#isLive(row) ? entryOf(row) : undefined;
  }

  sizeEstimate(): number {
    const nowMs = this.#needs.clock.monotonicMs();
    if (this.#estimate === undefined || nowMs >= this.#estimate.untilMs) {
      const { seen, unseen } = this.#heard(nowMs);
      const believed = Math.round(seen + unseen * this.#turnout.credit(nowMs));
      const others = Math.max(believed, this.#needs.publisher.connectedProviders());
      const size = others + (this.#needs.describe === undefined ? 0 : 1);
      this.#estimate = { size, untilMs: nowMs + ESTIMATE_KEPT_MS };
    }
    return this.#estimate.size;
  }

  #heard(nowMs: number): ReturnType<SizeSketch['heard']> {
    return this.#sketch.heard(nowMs, (peer) => this.#touchOf(peer) > TOUCH.none);
  }

  #touchOf(peer: string): Touch {
    const touch = this.#seen.touchOf(peer);
    return touch === TOUCH.none && this.#needs.publisher.isConnected(peer) ? TOUCH.met : touch;
  }

  answered(peer: string): void {
    if (peer === this.#needs.self) return;
    const nowMs = this.#needs.clock.monotonicMs();
    const touch = this.#touchOf(peer);
    if (touch === TOUCH.none) this.#turnout.answered(nowMs);
    if (touch < TOUCH.answered) this.#newcomers.answered(nowMs);
    this.#seen.note(peer, TOUCH.answered);
    this.#acquaintances.answered(peer);
  }

  kept(peer: string): void {
    if (peer === this.#needs.self) return;
    this.#seen.note(peer, TOUCH.kept);
    if (this.#table.get(peer) !== undefined) this.#saver.changed(peer);
  }

  asked({ strangersDue, newcomersDue, silent }: AskingOutcome): void {
    const nowMs = this.#needs.clock.monotonicMs();
    this.#turnout.asked(strangersDue, nowMs);
    this.#newcomers.asked(newcomersDue, nowMs);
    for (const peer of silent) this.#seen.wasSilent(peer, nowMs);
    this.#estimate = undefined;
  }

  patienceWith(peer: string): Patience {
    if (peer === this.#needs.self) return 'full';
    const nowMs = this.#needs.clock.monotonicMs();
    if (!this.#seen.isWorthWaiting(peer, nowMs)) return 'none';
    if (this.#touchOf(peer) >= TOUCH.answered) return 'full';
    return this.#newcomers.standing(nowMs) === 'silent' ? 'none' : 'brief';
  }

  strangers(): Strangers {
    const nowMs = this.#needs.clock.monotonicMs();
    const { seen, unseen } = this.#heard(nowMs);
    return {
      claimed: unseen,
      known: seen,
      rate: this.#turnout.rate(nowMs),
      standing: this.#turnout.standing(nowMs),
    };
  }

  acquainted(requirements: Requirements, options: CandidateOptions): readonly string[] {
    const excluded = new Set(options.exclude ?? []);
    const rows = this.#liveRows().flatMap((row) => {
      const preferred = this.#preferred.has(row.peer);
      const touch = preferred ? TOUCH.kept : this.#touchOf(row.peer);
      return touch === TOUCH.none || excluded.has(row.peer) ? [] : [{ ...row, touch }];
    });
    return acquaintedOf(rows, queryOf(requirements, options), {
      limit: options.limit,
      compared: this.#options.limits.comparedPerCall,
    });
  }

  candidates(requirements: Requirements, options: CandidateOptions): readonly AdvertCandidate[] {
    return candidatesOf(this.#rowsFor(options.exclude ?? []), queryOf(requirements, options), {
      limit: options.limit,
      compared: this.#options.limits.comparedPerCall,
    });
  }

  fits(requirements: Requirements, options: ExplainOptions = {}): SeenFits {
    return fitsOf(this.#rowsFor(options.exclude ?? []), queryOf(requirements, options), {
      compared: Math.min(FITS_COMPARED, this.#options.limits.comparedPerCall),
    });
  }

  indirect(requirements: Requirements, options: ExplainOptions = {}): IndirectProviders {
    const query = queryOf(requirements, options);
    const nowMs = this.#needs.clock.monotonicMs();
    const fitting = this.#rowsFor(options.exclude ?? [])
      .filter((row) => this.#acquaintances.isIndirect(row.peer))
      .filter((row) => this.#seen.isWorthWaiting(row.peer, nowMs))
      .slice(0, this.#options.limits.meetUpTo)
      .filter((row) => compareAdvert(query, row).hardOk);
    const peers = fitting.map(({ peer }) => peer);
    const near = peers.filter((peer) => !this.#acquaintances.isOutOfReach(peer));
    const strangers = near.filter((peer) => this.#touchOf(peer) === TOUCH.none);
    const { mayHaveMissedSome } = this.#acquaintances;
    // One who has just come is waited for; a crowd that nobody has met yet is none of a small network.
    const isCrowd = !mayHaveMissedSome && strangers.length > STRANGERS_WAITED_FOR;
    const waited = isCrowd ? near.filter((peer) => !strangers.includes(peer)) : near;
    return { fitting: waited, mayBeMore: waited.length < peers.length || mayHaveMissedSome };
  }

  explain(requirements: Requirements, options: ExplainOptions = {}): TableExplanation {
    return explanationOf(this.#rowsFor([]), queryOf(requirements, options), {
      compared: this.#options.limits.comparedPerCall,
      excluded: options.exclude ?? [],
    });
  }

  counters(): Readonly<Record<string, number>> {
    const counts = Object.entries(this.#intake.counts);
    return Object.fromEntries(counts.map(([outcome, count]) => [`advert.${outcome}`, count]));
  }

  /** Adverts that a node hears in a second do not become more when the network grows. */
  #intervalMs(): number {
    const { baseIntervalMs, intervalPerPeerMs, longestIntervalMs } = this.#options.limits;
    return Math.min(longestIntervalMs, Math.max(baseIntervalMs, this.sizeEstimate() * intervalPerPeerMs));
  }

  #isLive(row: PeerRow): boolean {
    return row.deadlineMs > this.#needs.clock.monotonicMs();
  }

  #liveRows(): PeerRow[] {
    return this.#table.rows().filter((row) => this.#isLive(row));
  }

  /**
   * This node first, as it is now: it is the best known of all. Then those that it has been in touch with. Adverts of others
   * say nothing while as many as they speak of should have answered and did not.
   */
  #rowsFor(exclude: readonly string[]): readonly JudgedProvider[] {
    const excluded = new Set(exclude);
    const seen: JudgedProvider[] = [];
    const strangers: JudgedProvider[] = [];
    for (const row of this.#liveRows()) {
      if (excluded.has(row.peer)) continue;
      const isSeen = this.#preferred.has(row.peer) || this.#touchOf(row.peer) > TOUCH.none;
      if (isSeen) seen.push({ ...row, seen: true });
      else strangers.push(row);
    }
    const isSilent = this.#turnout.standing(this.#needs.clock.monotonicMs()) === 'silent';
    const own = this.#options.ownJobs && !excluded.has(this.#needs.self) ? this.#ownRow() : undefined;
    return [...(own === undefined ? [] : [own]), ...seen, ...(isSilent ? [] : strangers)];
  }

  #ownRow(): JudgedProvider | undefined {
    const { self, publisher, describe } = this.#needs;
    const content = describe?.();
    if (content === undefined) return undefined;
    return {
      ...advertisedProvider(self, content),
      providerRecord: publisher.peerRecord(),
      hash: peerHash(this.#salt, self),
      seen: true,
    };
  }
}

/** Whether a provider has more free than it said before, takes work again, or was not known. */
function hasMoreRoom(before: AdvertContent | undefined, { free, draining }: AdvertContent): boolean {
  if (before === undefined || (before.draining && !draining)) return true;
  const devices = (groups: AdvertContent['free']['gpus']): number =>
    groups.reduce((sum, { count }) => sum + count, 0);
  return (
    free.cpuMillis > before.free.cpuMillis ||
    free.memoryBytes > before.free.memoryBytes ||
    free.diskBytes > before.free.diskBytes ||
    devices(free.gpus) > devices(before.free.gpus)
  );
}

function queryOf(requirements: Requirements, { budget }: ExplainOptions): AdvertQuery {
  return { requirements, ...(budget === undefined ? {} : { budget }) };
}
