import type { JobEvent } from '../../domain/job/job-event.ts';
import type { Job } from '../../domain/job/job.ts';
import type { ContractRecord } from '../../domain/market/contract.ts';
import type { EndReason } from '../../domain/market/end-reason.ts';
import type { Execution } from '../../domain/market/execution.ts';
import type { Rank, RuledOut, Search } from '../../domain/market/search.ts';
import type { ReasonOf, Told } from '../../domain/units/reason.ts';

/*
 * Records that were written before reasons were data hold sentences in their place. Each of these gives such a record its
 * present form, with the sentence kept, and leaves one of today as it is.
 */

type Before<Value> = Value & { readonly reason?: string; readonly message?: string };

function told(text: string): ReasonOf<Told> {
  return { code: 'unknown', data: { text } };
}

export function jobWithWhy(before: Before<Job>): Job {
  const { reason, ...job } = before;
  return reason === undefined ? before : { ...job, why: told(reason) };
}

export function eventWithWhy(before: Before<JobEvent>): JobEvent {
  const { message, ...event } = before;
  return message === undefined ? before : { ...event, why: told(message) };
}

export function contractWithWhy(before: Before<ContractRecord>): ContractRecord {
  const { reason, ...contract } = before;
  if (reason === undefined) return before;
  return { ...contract, why: reason === 'never-begun' ? { code: reason, data: {} } : told(reason) };
}

export function executionWithWhy(execution: Execution): Execution {
  const { observed } = execution;
  if (!('end' in observed)) return execution;
  const { message, ...end }: Before<typeof observed.end> = observed.end;
  if (message === undefined) return execution;
  const isRefusal = observed.state === 'AskForBidRejected' || observed.state === 'BidRejected';
  const why = isRefusal ? refusalOf(message) : told(message);
  return { ...execution, observed: { ...observed, end: { ...end, why } } };
}

/** The code of a refusal stood before its sentence. */
function refusalOf(message: string): EndReason {
  const at = message.indexOf(': ');
  if (at < 0) return told(message);
  const [error, text] = [message.slice(0, at), message.slice(at + 2)];
  return { code: 'no-contract', data: { why: { code: 'no-answer', data: { error, text } } } };
}

export function searchWithWhy(search: Search): Search {
  const { ruledOut, index } = search;
  const isOf = (one: object): boolean => 'reason' in one;
  const ranks = index.entries.some((entry) => entry.ranks.some(isOf));
  if (!ranks && ruledOut?.some(isOf) !== true) return search;
  return {
    ...search,
    ...(ruledOut === undefined ? {} : { ruledOut: ruledOut.map(ruledOutWithWhy) }),
    index: {
      ...index,
      entries: index.entries.map((entry) => ({ ...entry, ranks: entry.ranks.map(rankWithWhy) })),
    },
  };
}

function ruledOutWithWhy({ reason, ...ruledOut }: Before<RuledOut>): RuledOut {
  return reason === undefined ? ruledOut : { ...ruledOut, why: told(reason) };
}

function rankWithWhy({ reason, ...rank }: Before<Rank>): Rank {
  return reason === undefined ? rank : { ...rank, why: told(reason) };
}
