import type { JobEventDraft } from '../../domain/job/job-event.ts';
import { declined } from '../../domain/market/negotiation-reason.ts';
import type { Search } from '../../domain/market/search.ts';
import { declineData } from '../decline-data.ts';

export function openingEvent({ requestId, round }: Search, at: number): JobEventDraft {
  return { type: 'search.opened', at, data: { requestId, round } };
}

/** What a round brought: each bid and each no, then its end and who is first in line. */
export function closingEvents(search: Search, at: number): readonly JobEventDraft[] {
  const { entries, declines, refused } = search.index;
  const [first] = entries;
  return [
    ...entries.map(
      ({ bid, provider, receivedAt, score }): JobEventDraft => ({
        type: 'bid.received',
        at: receivedAt,
        provider,
        data: { price: bid.value.price, locked: bid.value.lock !== undefined, score },
      }),
    ),
    ...declines.map(
      ({ provider, decline }): JobEventDraft => ({
        type: 'bid.refused',
        at,
        provider,
        code: decline.code,
        why: declined(decline),
        data: declineData(decline),
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
    ...(first === undefined
      ? []
      : [
          {
            type: 'provider.shortlisted',
            at,
            provider: first.provider,
            data: { score: first.score },
          } satisfies JobEventDraft,
        ]),
  ];
}
