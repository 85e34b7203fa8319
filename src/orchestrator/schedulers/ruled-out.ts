import { type BidRequest, type Decline, isNoRoom, MOST_EXCLUDED } from '../../domain/market/bid.ts';
import { type Execution, isCommitted, type Observed } from '../../domain/market/execution.ts';
import type { Job } from '../../domain/job/job.ts';
import type { PassedOver } from '../../domain/market/passed-over.ts';
import type { RuledOut, Search } from '../../domain/market/search.ts';
import { brokenBids } from './broken-bids.ts';

/** Whom the next round leaves alone: those the user does not want, then those who said no for good in this job. */
export function exclusionsAfter(
  { spec }: Job,
  search: Search | undefined,
  executions: readonly Execution[],
  now: number,
): { readonly exclude: BidRequest['exclude']; readonly ruledOut?: readonly RuledOut[] } {
  const byProvider = new Map<string, RuledOut>();
  const ofJob = [
    ...leftAlone(executions, now),
    ...failedHere(search, executions),
    ...saidNoForGood(search, executions),
  ];
  for (const ruledOut of ofJob) {
    if (!spec.excludedProviders.includes(ruledOut.provider) && !byProvider.has(ruledOut.provider)) {
      byProvider.set(ruledOut.provider, ruledOut);
    }
  }
  const room = Math.max(0, MOST_EXCLUDED - spec.excludedProviders.length);
  const ruledOut = [...byProvider.values()].slice(0, room);
  return {
    exclude: [...spec.excludedProviders, ...ruledOut.map(({ provider }) => provider)],
    ...(ruledOut.length === 0 ? {} : { ruledOut }),
  };
}

/**
 * Those on which this job has failed for a reason of their own. They are left out as long as somebody else is known who
 * could take it: who is alone may have mended what it was.
 */
function failedHere(search: Search | undefined, executions: readonly Execution[]): readonly RuledOut[] {
  const failed = new Map(
    executions.flatMap(({ provider, observed }) =>
      isOwnFailure(observed) ? [[provider, observed.end.why] as const] : [],
    ),
  );
  if (failed.size === 0) return [];
  const others = [
    ...(search?.index.entries ?? []),
    ...(search?.index.declines ?? []).filter(({ decline }) => isNoRoom(decline)),
    ...executions.filter(isCommitted),
  ];
  if (!others.some(({ provider }) => !failed.has(provider))) return [];
  return [...failed].map(([provider, why]) => ({
    provider,
    why: { code: 'failed-here', data: { why } },
    failed: true,
  }));
}

/** Whose bids came to nothing: left out for a while, also where nobody else is known. */
function leftAlone(executions: readonly Execution[], now: number): readonly RuledOut[] {
  return brokenBids(executions)
    .filter(({ until }) => now < until)
    .map(({ provider, why }) => ({ provider, why: { code: 'bid-not-kept', data: { why } }, failed: true }));
}

function isOwnFailure(observed: Execution['observed']): observed is Extract<Observed, { state: 'Failed' }> {
  return (
    observed.state === 'Failed' && observed.contractId !== undefined && observed.end.exitReason === 'internal'
  );
}

/** The newest first: those are sure to be there still, and there is not room for all. */
function saidNoForGood(search: Search | undefined, executions: readonly Execution[]): readonly RuledOut[] {
  const ofExecutions = executions.flatMap(({ provider, observed }): RuledOut[] =>
    'end' in observed && observed.end.forGood === true ? [{ provider, why: observed.end.why }] : [],
  );
  const ofBids = (search?.index.declines ?? []).flatMap(({ provider, decline }): RuledOut[] =>
    decline.retryable ? [] : [{ provider, why: saidNo(decline) }],
  );
  return [...ofExecutions, ...ofBids, ...(search?.ruledOut ?? []).filter(({ failed }) => failed !== true)];
}

/** A no as it is counted: its code, and the field it is about. */
export function saidNo({ code, field }: Pick<Decline, 'code' | 'field'>): PassedOver {
  return { code: 'said-no', data: { decline: code, ...(field === undefined ? {} : { field }) } };
}
