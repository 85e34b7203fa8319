import type { Advert, AdvertContent } from '../domain/market/advert.ts';
import { advertisedProvider } from '../domain/market/advert-matching.ts';
import type { SeenFits } from '../domain/ranking/answering.ts';
import type { Requirements } from '../domain/matching/requirements.ts';
import type { Evidence } from '../domain/market/evidence.ts';
import type { AskingOutcome, Patience, Strangers } from '../domain/trust/stranger-turnout.ts';
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
import { hasMoreRoom } from './more-room.ts';
import type { RegistryOptions } from './options.ts';
import { OwnAdvert } from './own-advert.ts';
import { peerHash } from './peer-hash.ts';
import { type AskableProvider, type PeerRow, PeerTable } from './peer-table.ts';
import type { AdvertHandler } from './ports.ts';
import type { AdvertCandidate, TableExplanation } from './questions.ts';
import { ProviderStanding } from './provider-standing.ts';
import { TOUCH, type Touch } from './seen-providers.ts';
import { SizeSketch } from './size-sketch.ts';
import { TableSaver } from './table-saver.ts';
import { TableView } from './table-view.ts';

const SALT_BYTES = 16;
const SWEEP_EVERY_MS = 10_000;
/** An estimate is asked for with every search and every advert, and changes slowly. */
const ESTIMATE_KEPT_MS = 1000;
/** Words of more room by those whom this node only knows by their adverts, that wake jobs which wait for some. */
const ROOM_OF_STRANGERS = { burst: 8, perSecond: 1 / 5 };
/** A store that was full when its node died may hold rows that had left the table. */
const LOADED_TABLES = 2;

function entryOf({ peer, advert, receivedAt, expiresAt }: PeerRow): PeerEntry {
  return { peerId: peer, advert, receivedAt, expiresAt };
}

/** Joins table, intake, this node's own advert and the disk. */
export class RegistryService implements Registry, AdvertHandler {
  readonly #options: RegistryOptions;
  readonly #needs: RegistryNeeds;
  readonly #salt: Uint8Array;
  readonly #table: PeerTable;
  readonly #sketch: SizeSketch;
  readonly #standing: ProviderStanding;
  readonly #intake: AdvertIntake;
  readonly #saver: TableSaver;
  readonly #own: OwnAdvert | undefined;
  readonly #acquaintances: Acquaintances;
  readonly #view: TableView;
  readonly #roomOfStrangers: TokenBucket;
  #sweeps: Timer | undefined;
  #estimate: { readonly size: number; readonly untilMs: number } | undefined;

  constructor(options: RegistryOptions, needs: RegistryNeeds) {
    const { limits } = options;
    const { clock, random, logger, self, store, publisher, notary, describe } = needs;
    this.#roomOfStrangers = new TokenBucket(ROOM_OF_STRANGERS, clock);
    const intervalMs = (): number => this.#intervalMs();
    this.#options = options;
    this.#needs = needs;
    this.#salt = random.bytes(SALT_BYTES);
    this.#sketch = new SizeSketch(limits.sampledPeers, limits.baseIntervalMs, limits.newcomerValidityMs);
    this.#standing = new ProviderStanding(limits, {
      clock,
      preferred: new Set(options.preferredPeers),
      isConnected: (peer) => publisher.isConnected(peer),
      sketch: this.#sketch,
    });
    const isSeen = (peer: string): boolean => this.#standing.isSeen(peer);
    const touchOf = (peer: string): Touch => this.#standing.touchOf(peer);
    this.#table = new PeerTable(limits.maxPeers, isSeen);
    this.#saver = new TableSaver(limits, { clock, logger, store, table: this.#table, touchOf });
    this.#intake = new AdvertIntake(limits, {
      clock,
      self,
      salt: this.#salt,
      table: this.#table,
      sketch: this.#sketch,
      standing: this.#standing,
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
    this.#view = new TableView(limits, {
      clock,
      table: this.#table,
      standing: this.#standing,
      acquaintances: this.#acquaintances,
      ownRow: () => (options.ownJobs ? this.#ownRow() : undefined),
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

  get handler(): AdvertHandler {
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
      if (this.#standing.isSeen(row.peer) || this.#roomOfStrangers.take()) this.#needs.onMoreRoom?.(row.peer);
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

  roomFreed(): void {
    this.#own?.roomFreed();
    this.#needs.onMoreRoom?.(this.#needs.self);
  }

  peerDisconnected(peer: string): void {
    if (this.#table.get(peer) !== undefined) this.#standing.note(peer, TOUCH.met);
    this.#acquaintances.disconnected(peer);
  }

  audienceChanged(): void {
    this.#acquaintances.audienceChanged();
    this.#own?.audienceChanged();
  }

  peers(): readonly PeerEntry[] {
    return this.#view
      .rows()
      .map(entryOf)
      .sort((a, b) => (a.peerId < b.peerId ? -1 : 1));
  }

  peer(peerId: string): PeerEntry | undefined {
    const row = this.#view.row(peerId);
    return row === undefined ? undefined : entryOf(row);
  }

  sizeEstimate(): number {
    const nowMs = this.#needs.clock.monotonicMs();
    if (this.#estimate === undefined || nowMs >= this.#estimate.untilMs) {
      const others = Math.max(this.#standing.believedSize(), this.#needs.publisher.connectedProviders());
      const size = others + (this.#needs.describe === undefined ? 0 : 1);
      this.#estimate = { size, untilMs: nowMs + ESTIMATE_KEPT_MS };
    }
    return this.#estimate.size;
  }

  answered(peer: string, came: boolean): void {
    if (peer === this.#needs.self) return;
    this.#standing.answered(peer, came);
    this.#acquaintances.answered(peer);
  }

  kept(peer: string): void {
    if (peer === this.#needs.self) return;
    this.#standing.kept(peer);
    if (this.#table.get(peer) !== undefined) this.#saver.changed(peer);
  }

  broke(peer: string): void {
    if (peer !== this.#needs.self) this.#standing.broke(peer);
  }

  hasKept(peer: string): boolean {
    return this.#standing.touchOf(peer) === TOUCH.kept;
  }

  taken(peer: string): void {
    this.#standing.taken(peer);
  }

  isOnTrial(peer: string): boolean {
    return this.#standing.isOnTrial(peer);
  }

  isWary(): boolean {
    return this.#standing.isWary;
  }

  asked(outcome: AskingOutcome): void {
    this.#standing.asked(outcome);
    this.#estimate = undefined;
  }

  patienceWith(peer: string): Patience {
    return peer === this.#needs.self ? 'full' : this.#standing.patienceWith(peer);
  }

  strangers(): Strangers {
    return this.#standing.strangers();
  }

  acquainted(requirements: Requirements, options: CandidateOptions): readonly string[] {
    return this.#view.acquainted(requirements, options);
  }

  candidates(requirements: Requirements, options: CandidateOptions): readonly AdvertCandidate[] {
    return this.#view.candidates(requirements, options);
  }

  fits(requirements: Requirements, options?: ExplainOptions): SeenFits {
    return this.#view.fits(requirements, options);
  }

  indirect(requirements: Requirements, options?: ExplainOptions): IndirectProviders {
    return this.#view.indirect(requirements, options);
  }

  explain(requirements: Requirements, options?: ExplainOptions): TableExplanation {
    return this.#view.explain(requirements, options);
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

  #ownRow(): AskableProvider | undefined {
    const { self, publisher, describe } = this.#needs;
    const content = describe?.();
    if (content === undefined) return undefined;
    return {
      ...advertisedProvider(self, content),
      providerRecord: publisher.peerRecord(),
      hash: peerHash(this.#salt, self),
    };
  }
}
