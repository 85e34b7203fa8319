import type { Execution } from '../../domain/market/execution.ts';
import type { JobEventDraft, JobEventType } from '../../domain/job/job-event.ts';
import type { StrikeKind } from '../../domain/trust/strikes.ts';
import type { ExitReason } from '../../domain/program/task.ts';

/** What one durable fact says about a provider. */
export interface BehaviourEvent {
  readonly provider: string;
  readonly kind: StrikeKind | 'good';
}

interface Fact {
  readonly code: string;
  readonly badResult: boolean;
  /** This node found, by its own clock, that the work should have been over. */
  readonly overdue: boolean;
  readonly underContract: boolean;
  /** False: its negotiation was with this node before it was started anew. */
  readonly negotiatedHere: boolean;
}

type Reader = (fact: Fact) => BehaviourEvent['kind'] | undefined;

const LOCK_FAULTS: Readonly<Record<string, StrikeKind>> = {
  NEGOTIATION_TIMEOUT: 'lock-timeout',
  NEGOTIATION_LOST: 'lock-timeout',
  LOCK_MISSING: 'declined-after-bid',
  BID_CHANGED: 'declined-after-bid',
};

const CONTRACT_FAULTS: Readonly<Record<string, StrikeKind>> = {
  NEGOTIATION_LOST: 'lock-timeout',
  NEGOTIATION_TIMEOUT: 'contract-abandoned',
  NEVER: 'contract-abandoned',
};

/** What shows that the bid before it was worth nothing, where it was the first that was taken. */
const BROKEN_WORDS: ReadonlySet<StrikeKind> = new Set([
  'lock-timeout',
  'contract-abandoned',
  'bad-result',
  'lost-execution',
  'late-result',
]);

export function isBrokenWord(kind: StrikeKind): boolean {
  return BROKEN_WORDS.has(kind);
}

/** How an execution that failed tells of its provider. What a program does is not its provider's fault. */
const FAILURES: Readonly<Record<ExitReason, StrikeKind | undefined>> = {
  completed: undefined,
  'exit-code': undefined,
  trap: undefined,
  'invalid-module': undefined,
  'out-of-memory': undefined,
  timeout: undefined,
  'output-limit': undefined,
  denied: undefined,
  'image-unavailable': undefined,
  'input-unavailable': undefined,
  'requester-away': undefined,
  cancelled: undefined,
  lost: 'lost-execution',
  internal: 'lost-execution',
};

const READERS: Readonly<Partial<Record<JobEventType, Reader>>> = {
  'lock.declined': ({ code }) => (ranOut(code) ? undefined : 'declined-after-bid'),
  'lock.timeout': ({ code, negotiatedHere }) => (negotiatedHere ? LOCK_FAULTS[code] : undefined),
  'contract.declined': ({ code, negotiatedHere }) => {
    // Who is not, or does not find this node, fit for a contract has broken no promise.
    if (!negotiatedHere || code === 'NOT_VERIFIED' || ranOut(code)) return undefined;
    return CONTRACT_FAULTS[code] ?? 'declined-after-bid';
  },
  'execution.lost': ({ badResult, underContract, negotiatedHere }) => {
    if (badResult) return 'bad-result';
    if (underContract) return 'lost-execution';
    return negotiatedHere ? 'lock-timeout' : undefined;
  },
  'execution.failed': ({ code, overdue, negotiatedHere }) => {
    // True of a network that was split; a provider that says so of a node that never was away has changed its mind.
    if (code === 'requester-away') return negotiatedHere ? 'declined-after-bid' : undefined;
    // A provider that ends a program in its time has kept its word; one that says nothing by then has not.
    if (overdue) return 'late-result';
    return isExitReason(code) ? FAILURES[code] : undefined;
  },
  'execution.completed': () => 'good',
};

function isExitReason(code: string): code is ExitReason {
  return Object.hasOwn(FAILURES, code);
}

/** A bid or a lock that was over before this node came back to it: it may have been this node that took too long. */
function ranOut(code: string): boolean {
  return code === 'BID_EXPIRED' || code === 'LOCK_EXPIRED';
}

/**
 * What the events of one commit say about the providers they name. Negotiations do not outlive this node, so the end
 * of one from before `startedAt` (lived time) is nobody's fault but its own.
 */
export function behaviourEventsIn(
  events: readonly JobEventDraft[],
  executions: readonly Execution[],
  startedAt: number,
): readonly BehaviourEvent[] {
  return events.flatMap(({ type, provider, executionId, code = '', data }): BehaviourEvent[] => {
    const read = READERS[type];
    if (read === undefined || provider === undefined) return [];
    const execution = executions.find(({ id }) => id === executionId);
    if (execution === undefined) return [];
    const kind = read({
      code,
      badResult: data?.['badResult'] === true,
      overdue: data?.['overdue'] === true,
      underContract: 'contractId' in execution.observed && execution.observed.contractId !== undefined,
      negotiatedHere: execution.createdAt >= startedAt,
    });
    return kind === undefined ? [] : [{ provider, kind }];
  });
}
