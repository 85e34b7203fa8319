import type { Execution } from '../market/execution.ts';
import type { EndReason } from '../market/end-reason.ts';
import type { RankReason } from '../market/rank-reason.ts';
import type { EligibleComputeProviderData, Search } from '../market/search.ts';
import type { ExitReason } from '../program/task.ts';
import type { Nothing, ReasonOf } from '../units/reason.ts';

/** Why the winner is the winner. */
export interface WinnerReasons {
  readonly 'holds-contract': Nothing;
  /** So many that were ranked better did not take the job. */
  readonly 'better-declined': { readonly better: number };
  readonly 'only-bid': Nothing;
  readonly 'job-prefers-it': Nothing;
  readonly 'next-is-silent': Nothing;
  readonly 'next-is-own-node': Nothing;
  readonly 'equal-scores': { readonly score: number };
  /** By the ranker that put it before the next one more than any other. */
  readonly 'higher-score': {
    readonly score: number;
    readonly nextScore: number;
    readonly ranker: string;
    readonly why: RankReason;
  };
}

export type WinnerReason = ReasonOf<WinnerReasons>;

/** How a contract ended that does not stand any more. */
export interface ContractEnd {
  readonly exitReason: ExitReason;
  readonly why: EndReason;
}

export interface Winner {
  readonly provider: string;
  readonly executionId?: string;
  readonly score: number;
  readonly why: WinnerReason;
  readonly ended?: ContractEnd;
}

export function winnerOf(execution: Execution, searches: readonly Search[]): Winner {
  const { provider, id } = execution;
  const entries = searches.find((search) => search.requestId === execution.requestId)?.index.entries ?? [];
  const place = entries.findIndex((entry) => entry.provider === provider);
  const entry = entries[place];
  const better = entries.slice(0, Math.max(0, place)).length;
  const runnerUp = entries[place + 1];
  const ended = endOf(execution);
  return {
    provider,
    executionId: id,
    score: entry?.score ?? 0,
    why: winningReason(entry, runnerUp, better),
    ...(ended === undefined ? {} : { ended }),
  };
}

function endOf({ observed }: Execution): ContractEnd | undefined {
  if (observed.state !== 'Failed' && observed.state !== 'Cancelled') return undefined;
  const { exitReason, why } = observed.end;
  return { exitReason, why };
}

/** What put the winner before the next one, or why those before it were passed over. */
export function winningReason(
  entry: EligibleComputeProviderData | undefined,
  runnerUp: EligibleComputeProviderData | undefined,
  better: number,
): WinnerReason {
  if (entry === undefined) return { code: 'holds-contract', data: {} };
  if (better > 0) return { code: 'better-declined', data: { better } };
  if (runnerUp === undefined) return { code: 'only-bid', data: {} };
  if (valueOf(entry, 'preferred') > valueOf(runnerUp, 'preferred'))
    return { code: 'job-prefers-it', data: {} };
  if (entry.score < runnerUp.score && valueOf(entry, 'silence') > valueOf(runnerUp, 'silence'))
    return { code: 'next-is-silent', data: {} };
  if (entry.score < runnerUp.score && valueOf(entry, 'own-node') > valueOf(runnerUp, 'own-node'))
    return { code: 'next-is-own-node', data: {} };
  const gains = entry.ranks
    .map((rank) => ({ rank, gain: (rank.value - valueOf(runnerUp, rank.name)) * rank.weight }))
    .filter(({ gain }) => gain > 0)
    .toSorted((a, b) => b.gain - a.gain);
  const [first] = gains;
  if (first === undefined) return { code: 'equal-scores', data: { score: entry.score } };
  const { name: ranker, why } = first.rank;
  return { code: 'higher-score', data: { score: entry.score, nextScore: runnerUp.score, ranker, why } };
}

function valueOf(entry: EligibleComputeProviderData, name: string): number {
  return entry.ranks.find((rank) => rank.name === name)?.value ?? 0;
}
