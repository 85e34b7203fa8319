import type { Decline, Refusal } from '../../domain/bid.ts';
import type {
  ContractAnswer,
  ContractNever,
  ContractRecord,
  Proposal,
  SignedContract,
} from '../../domain/contract.ts';
import type { Evidence, Notary } from '../../domain/evidence.ts';
import type { Lease } from '../../domain/lock.ts';
import { contentIdOf } from '../../lib/canonical.ts';
import type { Clock } from '../../lib/clock.ts';
import { KeyedLane } from '../../lib/keyed-lane.ts';
import type { ResourceLedger } from '../locks/ledger.ts';
import type { ProviderOptions } from '../options.ts';
import type { CounterpartCheck, ProviderExecution, ProviderStore } from '../ports.ts';
import type { Bidder } from './bidder.ts';
import { signDecline } from './bidder.ts';
import { checkProposal } from './proposal-check.ts';

export interface ContractDeskNeeds {
  readonly clock: Clock;
  readonly notary: Notary;
  readonly ledger: ResourceLedger;
  readonly bidder: Bidder;
  readonly store: Pick<ProviderStore, 'commit' | 'contract' | 'never'>;
  readonly check: CounterpartCheck;
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

  constructor(options: ProviderOptions, needs: ContractDeskNeeds) {
    this.#options = options;
    this.#needs = needs;
  }

  accept(requester: string, proposal: Proposal): Promise<SignedContract | Evidence<Decline>> {
    const contractId = contentIdOf(proposal.terms.payload);
    const arrivedAtMs = this.#needs.clock.monotonicMs();
    return this.#lane.run(contractId, () => this.#accept(requester, contractId, proposal, arrivedAtMs));
  }

  /** The contract, or a durable promise that it will never be one. */
  answer(contractId: string): Promise<ContractAnswer> {
    return this.#lane.run(contractId, async () => {
      const signed = signedOf(await this.#needs.store.contract(contractId));
      if (signed !== undefined) return { kind: 'accepted', contract: signed };
      const earlier = await this.#needs.store.never(contractId);
      if (earlier !== undefined) return { kind: 'never', never: earlier };
      const never = this.#needs.notary.sign<ContractNever>('contract-never', {
        contractId,
        reason: 'No proposal with this id was accepted here.',
      });
      await this.#needs.store.commit({ nevers: [never] });
      return { kind: 'never', never };
    });
  }

  async #accept(
    requester: string,
    contractId: string,
    proposal: Proposal,
    arrivedAtMs: number,
  ): Promise<SignedContract | Evidence<Decline>> {
    const { store, notary, clock, bidder, check } = this.#needs;
    const { value: terms } = proposal.terms;
    const earlier = signedOf(await store.contract(contractId));
    if (earlier !== undefined) return earlier;
    const decline = (refusal: Refusal): Evidence<Decline> =>
      signDecline(
        notary,
        bidder.bidOf(requester, terms.bidId)?.request.requestId ?? terms.bidId,
        terms.jobId,
        'contract',
        refusal,
      );

    if ((await store.never(contractId)) !== undefined) {
      return decline({
        code: 'BID_EXPIRED',
        message: 'This contract was given up before.',
        retryable: false,
      });
    }
    const refusal = checkProposal(
      proposal,
      { requester, provider: notary.self },
      bidder.bidOf(requester, terms.bidId),
    );
    if (refusal !== undefined) return decline(refusal);
    const counterpart = await check.check(requester);
    if (!counterpart.ok)
      return decline({ code: 'NOT_VERIFIED', message: counterpart.reason, retryable: false });
    if (clock.monotonicMs() - arrivedAtMs > terms.acceptWithinMs) {
      return decline({
        code: 'BID_EXPIRED',
        message: 'The time to accept the proposal is over.',
        retryable: true,
      });
    }
    const held = this.#heldLease(requester, proposal);
    if (held === undefined) {
      return decline({
        code: 'LOCK_EXPIRED',
        message: 'The lock that the proposal names is not held for it any more.',
        field: 'terms.lockVersion',
        retryable: true,
      });
    }
    return this.#commit(requester, contractId, proposal, held);
  }

  #heldLease(requester: string, proposal: Proposal): Lease | undefined {
    const { lockId, lockVersion, bidId, executionId } = proposal.terms.value;
    const { ledger } = this.#needs;
    const lease = ledger.find(lockId, requester, lockVersion);
    if (lease === undefined || lease.state !== 'held') return undefined;
    if (lease.executionId !== executionId && lease.executionId !== bidId) return undefined;
    return ledger.remainingMs(lease) > this.#options.limits.lockMarginMs ? lease : undefined;
  }

  async #commit(
    requester: string,
    contractId: string,
    proposal: Proposal,
    held: Lease,
  ): Promise<SignedContract> {
    const { store, ledger, notary, clock } = this.#needs;
    const { value: terms } = proposal.terms;
    const now = clock.nowMs();
    const leaseMs = terms.startWithinMs + terms.executionTimeoutMs + this.#options.limits.leaseGraceMs;
    const lease = ledger.committed(held, terms.executionId, leaseMs);
    // The ledger moves first: from here on the negotiation's end cannot free this lease under the batch.
    ledger.adopt(lease);
    const providerSignature = notary.countersign(proposal.terms);
    const contract: ContractRecord = {
      contractId,
      executionId: terms.executionId,
      jobId: terms.jobId,
      state: 'ACCEPTED',
      terms: proposal.terms,
      providerSignature,
      updatedAt: now,
    };
    const execution: ProviderExecution = {
      item: {
        executionId: terms.executionId,
        contractId,
        attempt: terms.attempt,
        sequence: 1,
        state: 'BidAccepted',
      },
      requester,
      requesterRecord: terms.requesterRecord,
      jobId: terms.jobId,
      lockId: lease.lockId,
      invocation: proposal.invocation,
      acceptedAt: now,
      settled: false,
    };
    try {
      await store.commit({ contracts: [contract], leases: [lease], executions: [execution] });
    } catch (error) {
      ledger.release(lease.lockId);
      throw error;
    }
    this.#needs.onAccepted(execution);
    return { contractId, terms: proposal.terms, providerSignature };
  }
}

function signedOf(record: ContractRecord | undefined): SignedContract | undefined {
  if (record?.providerSignature === undefined) return undefined;
  return { contractId: record.contractId, terms: record.terms, providerSignature: record.providerSignature };
}
