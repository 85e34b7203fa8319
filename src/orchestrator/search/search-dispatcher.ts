import { isPartial } from '../../domain/ranking/answering.ts';
import type { Notary } from '../../domain/market/evidence.ts';
import type { Job } from '../../domain/job/job.ts';
import type { Search } from '../../domain/market/search.ts';
import type { Clock } from '../../lib/clock.ts';
import { CodedError, messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { JobLane } from '../job-lane.ts';
import type { OrchestratorOptions } from '../options.ts';
import type { Market, Negotiation, PeerTable } from '../ports.ts';
import { OpenSearch, type SearchOutcome } from './open-search.ts';
import { marketView } from './dry-run.ts';
import { roomBy, unheardBy } from './unheard.ts';
import { buildBidRequest, indirectFor, knownFitsOf, strangersFor } from './request-builder.ts';
import { type ProviderKnowledge, rankOutcome, worstBidder } from './shortlist.ts';
import { type SearchTargets, targetsOf } from './targets.ts';
import { closingEvents, openingEvent } from './search-events.ts';
import { type WaitingSearch, WaitingSearches } from './waiting-searches.ts';

export interface SearchDispatcherNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly notary: Notary;
  readonly market: Market;
  readonly peers: PeerTable;
  readonly behaviour: ProviderKnowledge['behaviour'];
  readonly lane: JobLane;
  /** The job should be looked at again. */
  readonly evaluate: (job: Job, trigger: 'search-closed' | 'exec-update') => void;
}

const NO_OUTCOME: SearchOutcome = {
  reason: 'interrupted',
  bids: [],
  declines: [],
  refused: [],
  seenAtLeast: 0,
};

/** The searches of this node: a bounded number on the air, the rest waiting by priority and then first come. */
export class SearchDispatcher {
  readonly #options: OrchestratorOptions;
  readonly #needs: SearchDispatcherNeeds;
  /** The newest search of each job, on the air or closed with negotiations still open. */
  readonly #byJob = new Map<string, OpenSearch>();
  readonly #onAir = new Set<string>();
  readonly #waiting = new WaitingSearches();
  /** Requests that are being written down as open; a job that lets go of its search takes them out. */
  readonly #promoting = new Map<string, string>();
  readonly #stopping = new AbortController();

  constructor(options: OrchestratorOptions, needs: SearchDispatcherNeeds) {
    this.#options = options;
    this.#needs = needs;
  }

  /** Takes a slot for a request, if there is one. Whoever gets true must call `start` or `giveBack`. */
  reserve(requestId: string): boolean {
    if (this.#onAir.size >= this.#options.limits.maxOpenSearches) return false;
    this.#onAir.add(requestId);
    return true;
  }

  /** The record of a reserved search was not written after all. */
  giveBack(requestId: string): void {
    this.#onAir.delete(requestId);
    this.#next();
  }

  /** Gives `work` a slot for its time; a search that is only tried does not wait for one. The stop of the dispatcher ends it. */
  async withSlot<T>(requestId: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal } = this.#stopping;
    signal.throwIfAborted();
    if (!this.reserve(requestId)) {
      throw new CodedError('TOO_MANY_JOBS', 'All searches of this node are in use. Try again in a while.');
    }
    try {
      return await work(signal);
    } finally {
      this.giveBack(requestId);
    }
  }

  /** Puts a search on the air whose record is on disk as open, or queues one that is waiting. */
  start(job: Job, search: Search): void {
    if (this.#stopped) return;
    if (search.state === 'open') {
      this.#open(job, search);
      return;
    }
    this.release(job.id);
    this.#waiting.add({ jobId: job.id, requestId: search.requestId, priority: job.spec.priority });
    this.#next();
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  openNegotiations(jobId: string, requestId: string | undefined): ReadonlySet<string> {
    const search = this.#byJob.get(jobId);
    return search !== undefined && search.request.requestId === requestId
      ? search.openNegotiations()
      : new Set();
  }

  negotiation(jobId: string, requestId: string, provider: string): Negotiation | undefined {
    const search = this.#byJob.get(jobId);
    return search?.request.requestId === requestId ? search.negotiations.get(provider) : undefined;
  }

  /** Ends a search and frees the bidders that wait for it. */
  release(jobId: string): void {
    const search = this.#byJob.get(jobId);
    this.#byJob.delete(jobId);
    this.#waiting.remove(jobId);
    this.#promoting.delete(jobId);
    search?.release();
  }

  stop(): void {
    this.#stopping.abort(new CodedError('STOPPING', 'The node is stopping.'));
    this.#waiting.clear();
    this.#promoting.clear();
    for (const search of this.#byJob.values()) search.release();
    this.#byJob.clear();
  }

  #open(job: Job, search: Search): void {
    const { market, notary, logger, peers } = this.#needs;
    this.#onAir.add(search.requestId);
    this.#byJob.get(job.id)?.release();
    this.#byJob.delete(job.id);
    try {
      const targets = targetsOf(job, search.exclude, market, peers, this.#options.wantedBids);
      const open = this.#openSearch(job, search, targets);
      this.#byJob.set(job.id, open);
      open.publish(market, notary.sign('bid-request', open.request), targets);
    } catch (error) {
      // Its record says open: without an end of its own nothing would ever follow.
      logger.warn('a bid request was not published', { jobId: job.id, reason: messageOf(error) });
      const open = this.#byJob.get(job.id);
      this.#byJob.delete(job.id);
      if (open === undefined) this.#closed(job, search, NO_OUTCOME);
      else open.release('interrupted');
    }
  }

  #openSearch(job: Job, search: Search, targets: SearchTargets): OpenSearch {
    const { market, clock, peers } = this.#needs;
    const { limits } = this.#options;
    const view = { ...marketView(market, peers), targets };
    const request = buildBidRequest(job, search, view, this.#options);
    const knownFits = knownFitsOf(job, search, view, this.#options);
    const open: OpenSearch = new OpenSearch(
      request,
      {
        ...limits,
        maxBids: limits.maxBidsPerSearch,
        knownFits,
        ...indirectFor(job, search, view),
        ...strangersFor(request, job, search, view),
      },
      {
        clock,
        self: market.self,
        acquaintance: peers.acquaintance,
        worstOf: (bids) => worstBidder(job, bids, this.#needs, this.#options, clock.livedMs()),
        onClosed: (outcome) => this.#closed(job, { ...search, partial: isPartial(request) }, outcome),
        onNegotiationEnded: () => {
          if (this.#byJob.get(job.id) === open) this.#needs.evaluate(job, 'exec-update');
        },
      },
    );
    return open;
  }

  #closed(job: Job, search: Search, outcome: SearchOutcome): void {
    this.#onAir.delete(search.requestId);
    this.#next();
    if (this.#stopped) return;
    this.#writeClosed(job, search, outcome).catch((error: unknown) => {
      const reason = messageOf(error);
      this.#needs.logger.error('the end of a search was not written', { jobId: job.id, reason });
    });
  }

  async #writeClosed(job: Job, search: Search, outcome: SearchOutcome): Promise<void> {
    const now = this.#needs.clock.livedMs();
    const entries = rankOutcome(job, outcome, this.#needs, this.#options, now);
    const otherNetworks = this.#needs.market.otherNetworks();
    const closed: Search = {
      ...search,
      state: 'closed',
      closedAt: now,
      closeReason: outcome.reason,
      seenAtLeast: outcome.seenAtLeast,
      ...unheardBy(job, outcome, this.#needs.peers),
      ...roomBy(job, search, outcome, this.#needs.peers),
      ...(otherNetworks.length === 0 ? {} : { otherNetworks }),
      index: { entries, declines: outcome.declines, refused: outcome.refused },
    };
    await this.#needs.lane.change(
      job.id,
      (before) =>
        before.search?.requestId === search.requestId && before.search.state !== 'closed'
          ? { search: closed, events: closingEvents(closed, now) }
          : undefined,
      (after) => this.#needs.evaluate(after.job, 'search-closed'),
    );
  }

  /** Gives free slots to those that wait. */
  #next(): void {
    while (!this.#stopped && this.#onAir.size < this.#options.limits.maxOpenSearches) {
      const next = this.#waiting.take();
      if (next === undefined) return;
      this.#onAir.add(next.requestId);
      this.#promoting.set(next.jobId, next.requestId);
      this.#promote(next).catch((error: unknown) => {
        const reason = messageOf(error);
        this.#needs.logger.error('a search was not opened', { jobId: next.jobId, reason });
        this.giveBack(next.requestId);
      });
    }
  }

  /** waiting -> open */
  async #promote({ jobId, requestId }: WaitingSearch): Promise<void> {
    const now = this.#needs.clock.livedMs();
    const snapshot = await this.#needs.lane.change(jobId, ({ search }) =>
      search?.requestId === requestId && search.state === 'waiting'
        ? { search: { ...search, state: 'open', openedAt: now }, events: [openingEvent(search, now)] }
        : undefined,
    );
    const wanted = this.#promoting.get(jobId) === requestId;
    if (wanted) this.#promoting.delete(jobId);
    if (snapshot?.search === undefined) this.giveBack(requestId);
    else if (wanted) this.#open(snapshot.job, snapshot.search);
    else this.#closed(snapshot.job, snapshot.search, { ...NO_OUTCOME, reason: 'cancelled' });
  }
}
