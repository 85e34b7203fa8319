import { type ContractRecord, canMoveContract, moveContract } from '../../domain/contract.ts';
import {
  type Execution,
  type ExecutionEnd,
  type Observed,
  canObserve,
  isTerminalObserved,
  observe,
} from '../../domain/execution.ts';
import type { JobEventDraft } from '../../domain/job-event.ts';
import type { Desired, ServingItem } from '../../domain/serving.ts';
import type { JobChange } from '../job-lane.ts';

/** What the requester wants of an item on a serving list; `undefined` execution = nothing is known of it here. */
export function desiredFor(item: ServingItem, execution: Execution | undefined, provider: string): Desired {
  if (execution === undefined || execution.provider !== provider || execution.attempt !== item.attempt)
    return 'stop';
  const { observed } = execution;
  if (observed.state === 'AskForBidAccepted') return execution.desired === 'Stopped' ? 'stop' : 'run';
  if ('contractId' in observed && observed.contractId !== item.contractId) return 'stop';
  if (observed.state === 'Completed') return 'done';
  if (observed.state === 'Failed') return observed.end.exitReason === 'lost' ? 'stop' : 'done';
  return isTerminalObserved(observed.state) || execution.desired === 'Stopped' ? 'stop' : 'run';
}

/** True when the item tells something that the requester has not written down yet. */
export function isNews(item: ServingItem, execution: Execution): boolean {
  return !isTerminalObserved(execution.observed.state) && item.sequence > execution.sequence;
}

/** The change that a serving item makes; undefined when it makes none. `result` says whether its bytes are here. */
export function servingChange(
  item: ServingItem,
  execution: Execution,
  contract: ContractRecord | undefined,
  result: 'here' | 'not-here' | 'none',
  now: number,
): JobChange | undefined {
  if (execution.desired === 'Stopped' || !isNews(item, execution)) return undefined;
  const next = observedOf(item, result, now);
  if (next === undefined || !canObserve(execution, next.state)) return undefined;
  const over = isTerminalObserved(next.state);
  const updated: Execution = {
    ...observe(execution, next),
    // A Publishing item is news again when its bytes have come.
    sequence: next.state === 'Publishing' ? execution.sequence : item.sequence,
    lastSeenAt: now,
    ...(over ? { desired: 'Stopped' } : {}),
  };
  const event = eventOf(next, execution, now);
  const moved = contract === undefined ? undefined : moveAlong(contract, next, now);
  return {
    executions: [updated],
    ...(moved === undefined ? {} : { contracts: [moved] }),
    events: event === undefined ? [] : [event],
  };
}

function observedOf(
  item: ServingItem,
  result: 'here' | 'not-here' | 'none',
  now: number,
): Observed | undefined {
  const ran = {
    contractId: item.contractId,
    ...(item.startedAt === undefined ? {} : { startedAt: item.startedAt }),
  };
  const bytes =
    result === 'here' && item.resultCid !== undefined
      ? { resultCid: item.resultCid, resultBytes: item.resultBytes ?? 0 }
      : {};
  const end: ExecutionEnd = {
    finishedAt: now,
    exitReason: item.exitReason ?? 'internal',
    ...(item.exitCode === undefined ? {} : { exitCode: item.exitCode }),
    message: item.message ?? '',
  };
  switch (item.state) {
    case 'BidAccepted':
      return undefined;
    case 'Running':
      return { state: 'Running', ...ran };
    case 'Publishing':
      if (bytes.resultCid === undefined) return { state: 'Publishing', ...ran, end };
      return { state: 'Completed', ...ran, ...bytes, end };
    case 'Failed':
      return { state: 'Failed', ...ran, ...bytes, end };
    case 'Cancelled':
      return { state: 'Cancelled', ...ran, end };
  }
}

function eventOf(observed: Observed, execution: Execution, now: number): JobEventDraft | undefined {
  const about = { at: now, executionId: execution.id, provider: execution.provider };
  switch (observed.state) {
    case 'Running':
      return { type: 'execution.started', ...about };
    case 'Publishing':
      return { type: 'execution.publishing', ...about };
    case 'Completed':
      return {
        type: 'execution.completed',
        ...about,
        code: observed.end.exitReason,
        data: { resultCid: observed.resultCid },
      };
    case 'Failed':
      return {
        type: 'execution.failed',
        ...about,
        code: observed.end.exitReason,
        message: observed.end.message,
      };
    case 'Cancelled':
      return { type: 'execution.cancelled', ...about, message: observed.end.message };
    default:
      return undefined;
  }
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
