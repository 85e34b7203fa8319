import { isAsked, isInvited } from '../../domain/market/answer-share.ts';
import type { Bid, BidRequest, Decline } from '../../domain/market/bid.ts';
import type { Evidence } from '../../domain/market/evidence.ts';
import type { BidRefusalCode } from '../../domain/market/passed-over.ts';
import { hasRunOut, type RefusedBid, type SearchCloseReason } from '../../domain/market/search.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { StrangerStanding } from '../../domain/trust/stranger-turnout.ts';
import type {
  Acquaintance,
  Market,
  Negotiation,
  OpenRequest,
  RequestTarget,
  SearchListener,
} from '../ports.ts';
import { checkBid } from './bid-check.ts';
import { judgeWindow, type WindowOptions, type WindowState } from './bid-window.ts';
import { KeptAnswers } from './kept-answers.ts';
import { RequestTurnout } from './request-turnout.ts';

export interface ReceivedBid {
  readonly bid: Evidence<Bid>;
  readonly receivedAt: number;
}

export interface SearchOutcome {
  readonly reason: SearchCloseReason;
  readonly bids: readonly ReceivedBid[];
  readonly declines: readonly { readonly provider: string; readonly decline: Decline }[];
  readonly refused: readonly RefusedBid[];
  readonly seenAtLeast: number;
}

export interface OpenSearchOptions extends WindowOptions {
  readonly maxBids: number;
  /** Whose bid was turned away and who is known by that: what they send again is not looked at. */
  readonly rememberedBidders: number;
  readonly knownFits?: number | undefined;
  /** See {@link WindowState.indirect}. */
  readonly indirect?: WindowState['indirect'];
  /** See {@link WindowState.strangers}. */
  readonly strangers?: StrangerStanding;
  /** So many strangers should answer, if their adverts are true. */
  readonly strangersDue?: number;
}

export interface OpenSearchNeeds {
  readonly clock: Clock;
  readonly self: string;
  readonly onClosed: (outcome: SearchOutcome) => void;
  readonly onNegotiationEnded: (provider: string) => void;
  /** Who of them would be tried last. */
  readonly worstOf: (bids: readonly ReceivedBid[]) => string | undefined;
  readonly acquaintance?: Acquaintance | undefined;
}
const ANSWERS_PER_BID = 4;

/** Collects the answers to one request until its window closes, and keeps the negotiations of those who may win. */
export class OpenSearch implements SearchListener {
  readonly request: BidRequest;
  readonly negotiations = new Map<string, Negotiation>();
  readonly #options: OpenSearchOptions;
  readonly #clock: Clock;
  readonly #needs: OpenSearchNeeds;
  readonly #bids = new Map<string, ReceivedBid>();
  readonly #turnedAway = new Set<string>();
  readonly #declines: KeptAnswers<SearchOutcome['declines'][number]>;
  readonly #refused: KeptAnswers<RefusedBid>;
  /** Everybody who said anything, whether or not there was room to keep it. */
  readonly #answered: KeptAnswers<true>;
  readonly #openedAtMs: number;
  readonly #turnout: RequestTurnout | undefined;
  #lastBidAtMs: number | undefined;
  #onAir: OpenRequest | undefined;
  #chosen = false;
  #timer: Timer | undefined;
  #closed = false;

  constructor(request: BidRequest, options: OpenSearchOptions, needs: OpenSearchNeeds) {
    this.request = request;
    this.#options = options;
    this.#clock = needs.clock;
    this.#needs = needs;
    this.#openedAtMs = needs.clock.monotonicMs();
    this.#turnout =
      needs.acquaintance === undefined ? undefined : new RequestTurnout(needs.clock, needs.acquaintance);
    const wasAsked = (peer: string): boolean => this.#onAir?.audience().has(peer) === true;
    this.#declines = new KeptAnswers(options.maxBids, wasAsked);
    this.#refused = new KeptAnswers(options.maxBids, wasAsked);
    this.#answered = new KeptAnswers(ANSWERS_PER_BID * options.maxBids, wasAsked);
  }

  publish(market: Market, evidence: Evidence<BidRequest>, targets?: readonly RequestTarget[]): void {
    this.#chosen = targets !== undefined;
    this.#onAir = market.openRequest(evidence, this, targets);
    this.#turnout?.wentOut(this.#onAir.audience());
    this.#look();
  }

  bid(bid: Evidence<Bid>, negotiation: Negotiation): ReturnType<SearchListener['bid']> {
    const received = { bid, receivedAt: this.#clock.livedMs() };
    this.#turnout?.answered(bid.signer);
    if (this.#closed) return { keep: false, code: 'REQUEST_CLOSED' };
    const code = this.#judge(received);
    if (code !== undefined) {
      this.#refuse(bid.signer, code);
      return { keep: false, code };
    }
    this.#answered.keep(bid.signer, true);
    this.#bids.set(bid.signer, received);
    this.negotiations.set(bid.signer, negotiation);
    this.#lastBidAtMs = this.#clock.monotonicMs();
    this.#look();
    return { keep: true };
  }

  decline(decline: Evidence<Decline>): void {
    if (decline.value.requestId !== this.request.requestId) return;
    const { signer, value } = decline;
    this.#turnout?.answered(signer);
    if (this.#closed) return;
    this.#declines.keep(signer, { provider: signer, decline: value });
    this.#answered.keep(signer, true);
    this.#look();
  }

  negotiationEnded(provider: string): void {
    this.negotiations.delete(provider);
    this.#needs.onNegotiationEnded(provider);
  }

  audienceChanged(): void {
    this.#look();
  }

  openNegotiations(): ReadonlySet<string> {
    const open = [...this.negotiations].filter(([, negotiation]) => negotiation.open);
    return new Set(open.map(([provider]) => provider));
  }

  /** No more bids; negotiations stay open. */
  close(reason: SearchCloseReason): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    const audience = this.#onAir?.audience() ?? new Set();
    this.#leaveAir(reason);
    this.#dropWhatRanOut();
    const declines = this.#declines.answers();
    const seen = new Set([...audience, ...this.#bids.keys(), ...declines.map(({ provider }) => provider)]);
    this.#needs.onClosed({
      reason,
      bids: [...this.#bids.values()],
      declines,
      refused: this.#refused.answers(),
      seenAtLeast: seen.size,
    });
  }

  /** Ends every negotiation: losers learn at once that their locks may go. */
  release(reason: SearchCloseReason = 'cancelled'): void {
    this.close(reason);
    for (const negotiation of this.negotiations.values()) negotiation.close();
    this.negotiations.clear();
  }

  /** What strangers are worth is found out while the job goes on without them. */
  #leaveAir(reason: SearchCloseReason): void {
    const { strangers, strangersDue = 0, indirectMs, newcomerMs } = this.#options;
    const onAir = this.#onAir;
    if (this.#turnout === undefined) return onAir?.close();
    const isWorthKnowing = strangers === 'untried' && strangersDue > 0 && reason === 'enough';
    const { knownBid } = this.#turnout.windowState([...this.#bids.keys()]);
    const waited = [...this.#expected().audience, ...(this.#indirect().indirect?.fitting ?? [])];
    this.#turnout.leave({
      openedAtMs: this.#openedAtMs,
      dueMs: indirectMs,
      newcomersDueMs: knownBid ? newcomerMs : indirectMs,
      lingers: isWorthKnowing && !this.request.answerAlways,
      strangersDue,
      wasHeard: [...(onAir?.audience() ?? [])].some((peer) => peer !== this.#needs.self),
      waited,
      close: () => onAir?.close(),
    });
  }

  #judge(received: ReceivedBid): BidRefusalCode | undefined {
    const bidders = { has: (peer: string) => this.#bids.has(peer) || this.#turnedAway.has(peer) };
    return checkBid(received.bid, this.request, bidders) ?? this.#makeRoomFor(received);
  }

  /** A full index keeps the best bids and not the first ones. */
  #makeRoomFor(received: ReceivedBid): 'INDEX_FULL' | undefined {
    if (this.#bids.size < this.#options.maxBids) return undefined;
    const worst = this.#needs.worstOf([...this.#bids.values(), received]);
    if (worst === undefined || !this.#bids.has(worst)) return 'INDEX_FULL';
    this.#drop(worst, 'INDEX_FULL');
    return undefined;
  }

  /** A provider is not asked about a bid that it need not stand by any more. */
  #dropWhatRanOut(): void {
    const now = this.#clock.livedMs();
    for (const [provider, received] of this.#bids)
      if (hasRunOut(received, now)) this.#drop(provider, 'BID_EXPIRED');
  }

  #drop(provider: string, code: BidRefusalCode): void {
    this.#bids.delete(provider);
    this.#turnAway(provider, code);
    this.negotiations.get(provider)?.close();
    this.negotiations.delete(provider);
  }

  #refuse(provider: string, code: BidRefusalCode): void {
    if (code === 'DUPLICATE_BID') {
      this.#note(provider, code);
      return;
    }
    this.#turnAway(provider, code);
    this.#answered.keep(provider, true);
    this.#look();
  }

  #turnAway(provider: string, code: BidRefusalCode): void {
    this.#note(provider, code);
    this.#turnedAway.add(provider);
    const [oldest] = this.#turnedAway;
    // Who is forgotten can be judged again, which takes nothing from those whose bids are kept.
    if (oldest !== undefined && this.#turnedAway.size > this.#options.rememberedBidders)
      this.#turnedAway.delete(oldest);
  }

  /** Once for each reason, however often it is repeated. */
  #note(provider: string, code: BidRefusalCode): void {
    this.#refused.keep(provider, { provider, code }, `${provider} ${code}`);
  }

  #look(): void {
    if (this.#closed || this.#onAir === undefined) return;
    this.#timer?.cancel();
    const nowMs = this.#clock.monotonicMs();
    const { audience, leftOut } = this.#expected();
    const { knownFits } = this.#options;
    const verdict = judgeWindow(
      {
        openedAtMs: this.#openedAtMs,
        timeoutMs: this.request.windowMs,
        wantedBids: this.request.wantedBids,
        bids: this.#bids.size,
        lastBidAtMs: this.#lastBidAtMs,
        audience,
        leftOut,
        answered: this.#answered,
        ...(knownFits === undefined ? {} : { knownFits }),
        ...this.#indirect(),
        ...this.#turnout?.windowState([...this.#bids.keys()]),
        ...(this.#options.strangers === undefined ? {} : { strangers: this.#options.strangers }),
        self: this.#needs.self,
        everyoneAnswers: this.request.answerAlways,
        chosen: this.#chosen,
      },
      this.#options,
      nowMs,
    );
    if (verdict.kind === 'close') this.close(verdict.reason);
    else this.#timer = this.#clock.after(verdict.untilMs - nowMs, () => this.#look());
  }

  /** Who is outside the share of those that may bid is not waited for. */
  #mayBid(peer: string): boolean {
    return peer === this.#needs.self || isAsked(this.request, peer);
  }

  /** On a large network only those asked by name say no as well. */
  #mustAnswer(peer: string): boolean {
    if (this.request.answerAlways) return this.#mayBid(peer);
    return peer === this.#needs.self || isInvited(this.request, peer);
  }

  #indirect(): Pick<WindowState, 'indirect'> {
    const { indirect } = this.#options;
    if (indirect === undefined) return {};
    return { indirect: { ...indirect, fitting: indirect.fitting.filter((peer) => this.#mayBid(peer)) } };
  }

  #expected(): Pick<WindowState, 'audience' | 'leftOut'> {
    const { exclude } = this.request;
    const asked = [...(this.#onAir?.audience() ?? [])].filter((peer) => this.#mustAnswer(peer));
    const excluded = new Set(exclude);
    return {
      audience: new Set(asked.filter((peer) => !excluded.has(peer))),
      leftOut: new Set(asked.filter((peer) => excluded.has(peer))),
    };
  }
}
