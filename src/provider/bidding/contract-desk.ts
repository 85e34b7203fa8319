import type { Decline, Refusal } from '../../domain/market/bid.ts';
import type {
  ContractAnswer,
  ContractNever,
  ContractRecord,
  Proposal,
  SignedContract,
} from '../../domain/market/contract.ts';
import type { Evidence } from '../../domain/market/evidence.ts';
import { type ContentRef, contentRefsOf } from '../../domain/program/task.ts';
import { contentIdOf } from '../../lib/canonical.ts';
import type { Clock } from '../../lib/clock.ts';
import { CodedError } from '../../lib/coded-error.ts';
import { KeyedLane } from '../../lib/keyed-lane.ts';
import type { ResourceLedger } from '../locks/ledger.ts';
import type { ProviderOptions } from '../options.ts';
import type { Asked, CounterpartCheck, ProviderContent, ProviderExecution, ProviderStore } from '../ports.ts';
import type { Room } from '../resources/room.ts';
import type { Bidder } from './bidder.ts';
import { type DeclineNeeds, signDecline } from './declining.ts';
import type { Leftovers } from './leftovers.ts';
import { checkProposal, type TermsLimits } from './proposal-check.ts';
import { refusalForRoom } from './room-check.ts';
import { GIVEN_UP, LOCK_GONE, TOO_LATE } from './refusals.ts';

export interface ContractDeskNeeds extends DeclineNeeds {
  readonly clock: Clock;
  readonly ledger: Pick<ResourceLedger, 'find' | 'remainingMs' | 'commit' | 'release' | 'pools'>;
  readonly bidder: Pick<Bidder, 'bidOf'>;
  readonly store: Pick<ProviderStore, 'commit' | 'contract' | 'never'>;
  readonly content: Pick<ProviderContent, 'sizeOf'>;
  readonly room: Pick<Room, 'look' | 'seen' | 'expect' | 'arrived' | 'beyondExpected'>;
  readonly check: CounterpartCheck;
  readonly leftovers: Pick<Leftovers, 'refusal'>;
  readonly isEstablished: (requester: string) => boolean;
  /** Whether an execution of this id is here already, whoever it is for. */
  readonly isKnown: (executionId: string) => boolean;
  /** Starts the work; the execution is on disk. */
  readonly onAccepted: (execution: ProviderExecution) => void;
}

/**
 * The commit point. A contract is accepted when terms, both signatures, the committed lease and the execution are
 * in one synced batch, and only then does the answer leave. One lane per contract id: a question for a contract
 * waits for a proposal of it that is being decided, so the two can never get different answers.
 */
export class ContractDesk {
  readonly #options: ProviderOptions;
  readonly #needs: ContractDeskNeeds;
  readonly #lane = new KeyedLane();
  /** Executions whose batch is under way: two contracts for one of them cannot both be accepted. */
  readonly #committing = new Set<string>();

  constructor(options: ProviderOptions, needs: ContractDeskNeeds) {
    this.#options = options;
    this.#needs = needs;
  }

  accept(requester: string, proposal: Proposal, asked: Asked): Promise<SignedContract | Evidence<Decline>> {
    const contractId = contentIdOf(proposal.terms.payload);
    const arrivedAtMs = this.#needs.clock.monotonicMs();
    return this.#lane.run(contractId, () =>
      this.#accept(requester, contractId, proposal, asked, arrivedAtMs),
    );
  }

  /**
   * The contract, or a durable promise that it will never be one. Throws `CONTRACT_DENIED` to anybody but the
   * requester of a contract that was accepted.
   */
  answer(asker: string, contractId: string): Promise<ContractAnswer> {
    return this.#lane.run(contractId, async () => {
      const record = await this.#needs.store.contract(contractId);
      const signed = signedOf(record);
      if (signed !== undefined) {
        if (signed.terms.value.requester === asker) return { kind: 'accepted', contract: signed };
        throw new CodedError('CONTRACT_DENIED', 'Only the parties of a contract may ask for it.');
      }
      const earlier = await this.#needs.store.never(contractId);
      if (earlier !== undefined) return { kind: 'never', never: earlier };
      const never = this.#needs.notary.sign<ContractNever>('contract-never', {
        contractId,
        reason: this.#needs.refusalSentence({ code: 'never-accepted', data: {} }),
      });
      await this.#needs.store.commit({ nevers: [never] });
      return { kind: 'never', never };
    });
  }

  async #accept(
    requester: string,
    contractId: string,
    proposal: Proposal,
    asked: Asked,
    arrivedAtMs: number,
  ): Promise<SignedContract | Evidence<Decline>> {
    const { store, notary, bidder } = this.#needs;
    const { value: terms } = proposal.terms;
    const open = bidder.bidOf(requester, terms.bidId);
    const decline = (refusal: Refusal): Evidence<Decline> =>
      signDecline(this.#needs, asked, 'contract', refusal);

    const limits = this.#termsLimits(requester);
    const unfit = checkProposal(proposal, { requester, provider: notary.self }, open, limits);
    const [known, never, counterpart, missing] = await Promise.all([
      store.contract(contractId),
      store.never(contractId),
      this.#refusalOfCounterpart(requester),
      unfit === undefined ? this.#missingInputs(proposal) : [],
      this.#needs.room.look(),
    ]);
    const earlier = signedOf(known);
    if (earlier !== undefined) return terms.requester === requester ? earlier : decline(GIVEN_UP);
    if (never !== undefined) return decline(GIVEN_UP);
    const refusal =
      unfit ??
      counterpart ??
      this.#refusalNow(proposal, arrivedAtMs) ??
      this.#refusalForInputs(requester, missing);
    if (refusal !== undefined) return decline(refusal);
    // From the last check to here nothing was waited for, so what it found still holds.
    this.#needs.room.expect(terms.executionId, missing);
    return await this.#commit(requester, contractId, proposal);
  }

  async #missingInputs({ invocation }: Proposal): Promise<readonly ContentRef[]> {
    const refs = contentRefsOf(invocation.engine, invocation.inputs);
    const sizes = await Promise.all(refs.map(({ cid }) => this.#needs.content.sizeOf(cid)));
    return refs.filter((_, index) => sizes[index] === undefined);
  }

  /** What the work may write is set aside with its lock; its inputs are seen here for the first time. */
  #refusalForInputs(requester: string, missing: readonly ContentRef[]): Refusal | undefined {
    const { room, ledger, leftovers } = this.#needs;
    const { locked, allocated } = ledger.pools();
    const leasedBytes = locked.diskBytes + allocated.diskBytes;
    const inputBytes = room.beyondExpected(missing);
    const full = refusalForRoom(room.seen(), { diskBytes: 0, inputBytes, leasedBytes });
    return full ?? leftovers.refusal(requester, inputBytes);
  }

  /** What is signed is kept, so who is not known here is not promised much. */
  #termsLimits(requester: string): TermsLimits {
    const { limits } = this.#options;
    if (this.#needs.isEstablished(requester)) return limits;
    const { longestOrphanAfterMs, longestRetentionMs } = limits.strangers;
    return {
      maxInputBytes: limits.maxInputBytes,
      longestOrphanAfterMs: Math.min(longestOrphanAfterMs, limits.longestOrphanAfterMs),
      longestRetentionMs: Math.min(longestRetentionMs, limits.longestRetentionMs),
    };
  }

  async #refusalOfCounterpart(requester: string): Promise<Refusal | undefined> {
    const verdict = await this.#needs.check.check(requester);
    if (verdict.ok) return undefined;
    const why = { code: 'not-verified', data: { text: verdict.reason } } as const;
    return { code: 'NOT_VERIFIED', why, retryable: false };
  }

  /** What may have changed since the bid: the time, the lock, and what else was accepted. */
  #refusalNow(proposal: Proposal, arrivedAtMs: number): Refusal | undefined {
    const { acceptWithinMs, executionId } = proposal.terms.value;
    if (this.#needs.clock.monotonicMs() - arrivedAtMs > acceptWithinMs) return TOO_LATE;
    if (this.#committing.has(executionId) || this.#needs.isKnown(executionId)) {
      return { code: 'DUPLICATE', why: { code: 'contract-exists', data: {} }, retryable: false };
    }
    return this.#isLockGood(proposal) ? undefined : LOCK_GONE;
  }

  #isLockGood(proposal: Proposal): boolean {
    const { lockId, lockVersion, bidId, executionId, requester } = proposal.terms.value;
    const { ledger } = this.#needs;
    const lease = ledger.find(lockId, requester, lockVersion);
    if (lease === undefined || lease.state !== 'held') return false;
    if (lease.executionId !== executionId && lease.executionId !== bidId) return false;
    return ledger.remainingMs(lockId) > this.#options.limits.lockMarginMs;
  }

  async #commit(requester: string, contractId: string, proposal: Proposal): Promise<SignedContract> {
    const { store, ledger, notary, clock } = this.#needs;
    const { executionId, lockId, startWithinMs, executionTimeoutMs } = proposal.terms.value;
    const leaseMs = startWithinMs + executionTimeoutMs + this.#options.limits.leaseGraceMs;
    // The ledger moves first: from here on the negotiation's end cannot free this lease under the batch.
    const lease = ledger.commit(lockId, executionId, leaseMs);
    const acceptedAt = clock.livedMs();
    const providerSignature = notary.countersign(proposal.terms);
    const contract = contractOf(contractId, proposal, providerSignature, acceptedAt);
    const execution = executionOf(requester, contractId, proposal, acceptedAt);
    this.#committing.add(executionId);
    try {
      await store.commit({ contracts: [contract], leases: [lease], executions: [execution] });
    } catch (error) {
      ledger.release(lockId);
      this.#committing.delete(executionId);
      this.#needs.room.arrived(executionId);
      throw error;
    }
    this.#committing.delete(executionId);
    this.#needs.onAccepted(execution);
    return { contractId, terms: proposal.terms, providerSignature };
  }
}

function contractOf(
  contractId: string,
  { terms }: Proposal,
  providerSignature: Uint8Array,
  updatedAt: number,
): ContractRecord {
  const { executionId, jobId } = terms.value;
  return { contractId, executionId, jobId, state: 'ACCEPTED', terms, providerSignature, updatedAt };
}

function executionOf(
  requester: string,
  contractId: string,
  { terms, invocation }: Proposal,
  acceptedAt: number,
): ProviderExecution {
  const { executionId, attempt, jobId, lockId, requesterRecord } = terms.value;
  return {
    item: { executionId, contractId, attempt, sequence: 1, state: 'BidAccepted' },
    requester,
    requesterRecord,
    jobId,
    lockId,
    invocation,
    acceptedAt,
    settled: false,
  };
}

function signedOf(record: ContractRecord | undefined): SignedContract | undefined {
  if (record?.providerSignature === undefined) return undefined;
  return { contractId: record.contractId, terms: record.terms, providerSignature: record.providerSignature };
}
