import { type ContractRecord, canMoveContract, moveContract } from '../../domain/market/contract.ts';
import type { EndReason } from '../../domain/market/end-reason.ts';
import {
  type Execution,
  type ExecutionEnd,
  type Observed,
  canObserve,
  isCommitted,
  isTerminalObserved,
  observe,
} from '../../domain/market/execution.ts';
import type { JobEventDraft } from '../../domain/job/job-event.ts';
import type { Desired, ServingItem } from '../../domain/market/serving.ts';
import type { JobChange } from '../job-lane.ts';

/** Whether the bytes of a result are here; `bad`: they are not what was promised. */
export type ResultState = 'here' | 'not-here' | 'none' | 'bad';

/** What the requester wants of an item on a serving list; `undefined` execution = nothing is known of it here. */
export function desiredFor(item: ServingItem, execution: Execution | undefined, provider: string): Desired {
  if (execution === undefined || execution.provider !== provider || execution.attempt !== item.attempt)
    return 'stop';
  const { observed } = execution;
  switch (observed.state) {
    case 'AskForBidAccepted':
      // A proposal without an answer: the provider may have accepted it, and is asked.
      return execution.contractId === item.contractId ? 'run' : 'stop';
    case 'BidAccepted':
    case 'Running':
    case 'Publishing':
      return observed.contractId === item.contractId ? 'run' : 'stop';
    case 'Completed':
      return observed.contractId === item.contractId ? 'done' : 'stop';
    case 'Failed': {
      const told = observed.contractId === item.contractId && observed.end.exitReason !== 'lost';
      return told && item.state === 'Failed' ? 'done' : 'stop';
    }
    case 'New':
    case 'AskForBid':
    case 'AskForBidRejected':
    case 'BidRejected':
    case 'Cancelled':
      return 'stop';
  }
}

/** True when the item tells something that the requester has not written down yet. */
export function isNews(item: ServingItem, execution: Execution): boolean {
  return (
    isCommitted(execution) && execution.contractId === item.contractId && item.sequence > execution.sequence
  );
}

/**
 * The change that a serving item makes; undefined when it makes none. `result` says whether its bytes are here, `why` is
 * what this node itself has to say of the end.
 */
export function servingChange(
  item: ServingItem,
  execution: Execution,
  contract: ContractRecord | undefined,
  result: ResultState,
  now: number,
  why: EndReason = { code: 'provider-said', data: { text: item.message ?? '' } },
): JobChange | undefined {
  if (execution.desired === 'Stopped' || !isNews(item, execution)) return undefined;
  const next = observedOf(item, execution, result, now, why);
  if (next === undefined || !canObserve(execution, next.state)) return undefined;
  const over = isTerminalObserved(next.state);
  const updated: Execution = {
    ...observe(execution, next),
    // A Publishing item is news again when its bytes have come.
    sequence: next.state === 'Publishing' ? execution.sequence : item.sequence,
    lastSeenAt: now,
    ...(over ? { desired: 'Stopped' } : {}),
  };
  const event = eventOf(next, execution, result, now);
  const moved = contract === undefined ? undefined : moveAlong(contract, next, now);
  const about = { at: now, executionId: execution.id, provider: execution.provider };
  return {
    executions: [updated],
    ...(moved === undefined ? {} : { contracts: [moved] }),
    events: [
      ...(event === undefined ? [] : [event]),
      ...(moved?.state === 'TERMINATED'
        ? [{ type: 'contract.terminated' as const, ...about, data: { contractId: moved.contractId } }]
        : []),
    ],
  };
}

/**
 * When it started, on this node's clock: when that was first heard of, or, where its end came with it, as long before
 * that as it ran. The provider's clock says nothing here; only how far two of its times are apart does.
 */
function startOf(
  { startedAt, finishedAt }: ServingItem,
  execution: Execution,
  now: number,
): number | undefined {
  const { observed } = execution;
  if ('startedAt' in observed && observed.startedAt !== undefined) return observed.startedAt;
  if (startedAt === undefined) return undefined;
  const ranMs = Math.max(0, (finishedAt ?? startedAt) - startedAt);
  return Math.min(now, Math.max(execution.createdAt, now - ranMs));
}

function observedOf(
  item: ServingItem,
  execution: Execution,
  result: ResultState,
  now: number,
  why: EndReason,
): Observed | undefined {
  const startedAt = startOf(item, execution, now);
  const ran = {
    contractId: item.contractId,
    ...(startedAt === undefined ? {} : { startedAt }),
  };
  const bytes =
    result === 'here' && item.resultCid !== undefined
      ? { resultCid: item.resultCid, resultBytes: item.resultBytes ?? 0 }
      : {};
  const end: ExecutionEnd = {
    finishedAt: now,
    exitReason: item.exitReason ?? 'internal',
    ...(item.exitCode === undefined ? {} : { exitCode: item.exitCode }),
    why,
  };
  switch (item.state) {
    case 'BidAccepted':
      return undefined;
    case 'Running':
      return { state: 'Running', ...ran };
    case 'Publishing':
      if (bytes.resultCid !== undefined) return { state: 'Completed', ...ran, ...bytes, end };
      if (item.resultCid !== undefined) return { state: 'Publishing', ...ran, end };
      return {
        state: 'Failed',
        ...ran,
        end: { ...end, exitReason: 'internal', why: { code: 'no-result-named', data: {} } },
      };
    case 'Failed':
      return { state: 'Failed', ...ran, ...bytes, end };
    case 'Cancelled':
      // Nobody here asked for that, so to this job it is a provider that went away.
      return { state: 'Failed', ...ran, end: { ...end, exitReason: 'lost' } };
  }
}

function eventOf(
  observed: Observed,
  execution: Execution,
  result: ResultState,
  now: number,
): JobEventDraft | undefined {
  const about = { at: now, executionId: execution.id, provider: execution.provider };
  if (observed.state === 'Running') return { type: 'execution.started', ...about };
  if (observed.state === 'Publishing') return { type: 'execution.publishing', ...about };
  if (observed.state === 'Completed') {
    const data = { resultCid: observed.resultCid };
    return { type: 'execution.completed', ...about, code: observed.end.exitReason, data };
  }
  if (observed.state !== 'Failed') return undefined;
  const { exitReason: code, why } = observed.end;
  const type = code === 'lost' ? 'execution.lost' : 'execution.failed';
  return { type, ...about, code, why, ...(result === 'bad' ? { data: { badResult: true } } : {}) };
}

function moveAlong(contract: ContractRecord, observed: Observed, now: number): ContractRecord | undefined {
  const wanted =
    observed.state === 'Running' || observed.state === 'Publishing'
      ? 'ACTIVE'
      : observed.state === 'Completed'
        ? 'COMPLETED'
        : 'TERMINATED';
  return canMoveContract(contract.state, wanted) ? moveContract(contract, wanted, now) : undefined;
}
