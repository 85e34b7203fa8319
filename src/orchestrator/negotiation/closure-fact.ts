import { type Decline, isNoRoom } from '../../domain/market/bid.ts';
import { type ContractRecord, moveContract, type SignedContract } from '../../domain/market/contract.ts';
import { failureCodeOf, type NegotiationReason } from '../../domain/market/negotiation-reason.ts';
import { type Execution, type ExecutionEnd, type Observed, observe } from '../../domain/market/execution.ts';
import type { JobEventDraft } from '../../domain/job/job-event.ts';
import { declineData } from '../decline-data.ts';
import type { JobChange } from '../job-lane.ts';

/** What became of a proposal. */
export type Resolution =
  | { readonly kind: 'accepted'; readonly contract: SignedContract }
  | {
      readonly kind: 'never';
      readonly why: NegotiationReason;
      /** What the provider said, where it was its no. */
      readonly decline?: Decline;
    }
  /** The provider could not be asked within the time in which it could have accepted. */
  | { readonly kind: 'unknown'; readonly why: NegotiationReason };

/**
 * The change that the outcome of a proposal makes. An execution that ended meanwhile stays as it is; its contract is
 * written down all the same, and ended. One whose outcome is unknown stays PROPOSED: its provider, should it
 * turn up with it, is stopped and asked again.
 */
export function closureChange(
  execution: Execution,
  contract: ContractRecord,
  resolution: Resolution,
  now: number,
): JobChange | undefined {
  if (contract.state !== 'PROPOSED') return undefined;
  const waiting = execution.observed.state === 'AskForBidAccepted' && execution.desired !== 'Stopped';
  if (resolution.kind === 'unknown' && !waiting) return undefined;
  const about = { at: now, executionId: execution.id, provider: execution.provider };
  const contracts = contractsAfter(contract, resolution, waiting, now);
  return {
    executions: waiting ? [executionAfter(execution, contract.contractId, resolution, now)] : [],
    contracts,
    events: eventsOf(contract.contractId, resolution, contracts).map((event) => ({ ...event, ...about })),
  };
}

function executionAfter(
  execution: Execution,
  contractId: string,
  resolution: Resolution,
  now: number,
): Execution {
  if (resolution.kind === 'accepted') {
    return { ...observe(execution, { state: 'BidAccepted', contractId }), lastSeenAt: now };
  }
  const { why } = resolution;
  const decline = resolution.kind === 'never' ? resolution.decline : undefined;
  const end: ExecutionEnd = {
    finishedAt: now,
    exitReason: 'denied',
    why: { code: 'no-contract', data: { why } },
    ...(decline?.retryable === false ? { forGood: true } : {}),
    ...(decline !== undefined && isNoRoom(decline) ? { noRoom: true } : {}),
    ...(failureCodeOf(why) === 'NEGOTIATION_TIMEOUT' ? { silent: true } : {}),
  };
  const observed: Observed = { state: 'BidRejected', end };
  return { ...observe(execution, observed), desired: 'Stopped' };
}

function contractsAfter(
  contract: ContractRecord,
  resolution: Resolution,
  waiting: boolean,
  now: number,
): readonly ContractRecord[] {
  switch (resolution.kind) {
    case 'accepted': {
      const { providerSignature } = resolution.contract;
      const accepted = moveContract(contract, 'ACCEPTED', now, { providerSignature });
      const why = { code: 'not-wanted', data: {} } as const;
      return [waiting ? accepted : moveContract(accepted, 'TERMINATED', now, { why })];
    }
    case 'never':
      return [moveContract(contract, 'DECLINED', now, { why: resolution.why })];
    case 'unknown':
      return [];
  }
}

function eventsOf(
  contractId: string,
  resolution: Resolution,
  contracts: readonly ContractRecord[],
): readonly Omit<JobEventDraft, 'at'>[] {
  const data = { contractId };
  if (resolution.kind !== 'accepted') {
    const said = resolution.kind === 'never' && resolution.decline !== undefined;
    const { why } = resolution;
    const about = said ? { ...data, ...declineData(resolution.decline) } : data;
    return [{ type: 'contract.declined', code: failureCodeOf(why), why, data: about }];
  }
  const ended = contracts.some(({ state }) => state === 'TERMINATED');
  return [
    { type: 'contract.accepted', data },
    ...(ended ? [{ type: 'contract.terminated' as const, data }] : []),
  ];
}
