import type { BidRequest } from '../../domain/bid.ts';
import type { Notary } from '../../domain/evidence.ts';
import type { JobEventDraft } from '../../domain/job-event.ts';
import type { Job } from '../../domain/job.ts';
import { rankBids } from '../../domain/ranking/index.ts';
import type { Search } from '../../domain/search.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { JobLane } from '../job-lane.ts';
import type { OrchestratorOptions } from '../options.ts';
import type { Market, Negotiation } from '../ports.ts';
import { OpenSearch, type SearchOutcome } from './open-search.ts';
import { buildBidRequest } from './request-builder.ts';

export interface SearchDeskNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly notary: Notary;
  readonly market: Market;
  readonly lane: JobLane;
  /** The job should be looked at again. */
  readonly evaluate: (job: Job, trigger: 'search-closed' | 'exec-update') => void;
}

interface WaitingSearch {
  readonly jobId: string;
  readonly requestId: string;
  readonly priority: number;
}

/** The searches of this node: a bounded number on the air, the rest waiting by priority and then first come. */
export class SearchDesk {
  readonly #options: OrchestratorOptions;
  readonly #needs: SearchDeskNeeds;
  /** The newest search of each job, on the air or closed with negotiations still open. */
  readonly #byJob = new Map<string, OpenSearch>();
  readonly #onAir = new Set<string>();
  readonly #waiting: WaitingSearch[] = [];
  #stopped = false;

  constructor(options: OrchestratorOptions, needs: SearchDeskNeeds) {
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

  /** Puts a search on the air whose record is on disk as open, or queues one that is waiting. */
  start(job: Job, search: Search): void {
    if (this.#stopped) return;
    if (search.state === 'open') this.#open(job, search);
    else this.#enqueue({ jobId: job.id, requestId: search.requestId, priority: job.spec.priority });
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

  requestOf(jobId: string, requestId: string): BidRequest | undefined {
    const search = this.#byJob.get(jobId);
    return search?.request.requestId === requestId ? search.request : undefined;
  }

  /** Ends a search and frees the bidders that wait for it. */
  release(jobId: string): void {
    this.#byJob.get(jobId)?.release();
    this.#byJob.delete(jobId);
    const index = this.#waiting.findIndex((waiting) => waiting.jobId === jobId);
    if (index >= 0) this.#waiting.splice(index, 1);
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting.length = 0;
    for (const search of this.#byJob.values()) search.release();
    this.#byJob.clear();
  }

  #open(job: Job, search: Search): void {
    const { market, clock, notary } = this.#needs;
    const { limits } = this.#options;
    this.#onAir.add(search.requestId);
    this.#byJob.get(job.id)?.release();
    const request = buildBidRequest(
      job,
      search,
      { audienceSize: market.audienceSize(), peerRecord: market.peerRecord() },
      { wantedBids: this.#options.wantedBids, answerAlwaysUpTo: limits.answerAlwaysUpTo },
    );
    const open = new OpenSearch(
      request,
      { quietMs: limits.quietMs, loneGraceMs: limits.loneGraceMs, maxBids: limits.maxBidsPerSearch },
      {
        clock,
        self: market.self,
        onClosed: (outcome) => void this.#closed(job, search, outcome),
        onNegotiationEnded: () => {
          if (this.#byJob.get(job.id) === open) this.#needs.evaluate(job, 'exec-update');
        },
      },
    );
    this.#byJob.set(job.id, open);
    open.publish(market, notary.sign('bid-request', request));
  }

  async #closed(job: Job, search: Search, outcome: SearchOutcome): Promise<void> {
    this.#onAir.delete(search.requestId);
    this.#next();
    if (this.#stopped) return;
    const entries = rankBids(outcome.bids, {
      self: this.#needs.market.self,
      prefer: job.spec.prefer,
      weights: this.#options.weights,
      executionTimeoutMs: job.spec.timeouts.executionMs,
    });
    const now = this.#needs.clock.nowMs();
    const closed: Search = {
      ...search,
      state: 'closed',
      closedAt: now,
      closeReason: outcome.reason,
      seenAtLeast: outcome.seenAtLeast,
      index: { entries, declines: outcome.declines, refused: outcome.refused },
    };
    try {
      const snapshot = await this.#needs.lane.change(job.id, (before) =>
        before.search?.requestId === search.requestId && before.search.state !== 'closed'
          ? { search: closed, events: closingEvents(closed, now) }
          : undefined,
      );
      if (snapshot !== undefined) this.#needs.evaluate(snapshot.job, 'search-closed');
    } catch (error) {
      this.#needs.logger.error('the end of a search could not be written', {
        jobId: job.id,
        reason: messageOf(error),
      });
    }
  }

  #enqueue(waiting: WaitingSearch): void {
    if (this.#waiting.some(({ requestId }) => requestId === waiting.requestId)) return;
    const behind = this.#waiting.findIndex(({ priority }) => priority < waiting.priority);
    this.#waiting.splice(behind < 0 ? this.#waiting.length : behind, 0, waiting);
    this.#next();
  }

  #next(): void {
    while (
      !this.#stopped &&
      this.#waiting.length > 0 &&
      this.#onAir.size < this.#options.limits.maxOpenSearches
    ) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#onAir.add(next.requestId);
      void this.#promote(next);
    }
  }

  /** waiting -> open */
  async #promote(next: WaitingSearch): Promise<void> {
    const now = this.#needs.clock.nowMs();
    try {
      const snapshot = await this.#needs.lane.change(next.jobId, ({ search }) =>
        search?.requestId === next.requestId && search.state === 'waiting'
          ? {
              search: { ...search, state: 'open', openedAt: now },
              events: [
                {
                  type: 'search.opened',
                  at: now,
                  data: { requestId: search.requestId, round: search.round },
                },
              ],
            }
          : undefined,
      );
      if (snapshot?.search !== undefined) {
        this.#open(snapshot.job, snapshot.search);
        return;
      }
    } catch (error) {
      this.#needs.logger.error('a search could not be opened', {
        jobId: next.jobId,
        reason: messageOf(error),
      });
    }
    this.#onAir.delete(next.requestId);
    this.#next();
  }
}

function closingEvents(search: Search, at: number): readonly JobEventDraft[] {
  const { entries, declines, refused } = search.index;
  const winner = entries[0];
  return [
    ...entries.map(
      (entry): JobEventDraft => ({
        type: 'bid.received',
        at: entry.receivedAt,
        provider: entry.provider,
        data: {
          price: entry.bid.value.price,
          locked: entry.bid.value.lock !== undefined,
          score: entry.score,
        },
      }),
    ),
    ...declines.map(
      ({ provider, decline }): JobEventDraft => ({
        type: 'bid.refused',
        at,
        provider,
        code: decline.code,
        message: decline.message,
      }),
    ),
    ...refused.map(({ provider, code }): JobEventDraft => ({ type: 'bid.refused', at, provider, code })),
    {
      type: 'search.closed',
      at,
      ...(search.closeReason === undefined ? {} : { code: search.closeReason }),
      data: {
        bids: entries.length,
        declines: declines.length,
        refused: refused.length,
        seenAtLeast: search.seenAtLeast,
      },
    },
    ...(winner === undefined
      ? []
      : [
          {
            type: 'provider.shortlisted',
            at,
            provider: winner.provider,
            data: { score: winner.score },
          } satisfies JobEventDraft,
        ]),
  ];
}
