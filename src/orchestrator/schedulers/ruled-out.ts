import { type BidRequest, MOST_EXCLUDED } from '../../domain/bid.ts';
import type { Execution } from '../../domain/execution.ts';
import type { Job } from '../../domain/job.ts';
import type { RuledOut, Search } from '../../domain/search.ts';

/** Whom the next round leaves alone: those the user does not want, then those who said no for good in this job. */
export function exclusionsAfter(
  { spec }: Job,
  search: Search | undefined,
  executions: readonly Execution[],
): { readonly exclude: BidRequest['exclude']; readonly ruledOut?: readonly RuledOut[] } {
  const byProvider = new Map<string, RuledOut>();
  for (const ruledOut of saidNoForGood(search, executions)) {
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

/** The newest first: those are sure to be there still, and there is not room for all. */
function saidNoForGood(search: Search | undefined, executions: readonly Execution[]): readonly RuledOut[] {
  const ofExecutions = executions.flatMap(({ provider, observed }): RuledOut[] =>
    'end' in observed && observed.end.forGood === true ? [{ provider, reason: observed.end.message }] : [],
  );
  const ofBids = (search?.index.declines ?? []).flatMap(({ provider, decline }): RuledOut[] =>
    decline.retryable ? [] : [{ provider, reason: declineReason(decline) }],
  );
  return [...ofExecutions, ...ofBids, ...(search?.ruledOut ?? [])];
}

/** A no as it is counted: its code, and the field it is about. */
export function declineReason({ code, field }: { readonly code: string; readonly field?: string }): string {
  return field === undefined ? code : `${code} (${field})`;
}
