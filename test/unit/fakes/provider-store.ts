import type { ContractNever, ContractRecord } from '../../../src/domain/market/contract.ts';
import type { Evidence } from '../../../src/domain/market/evidence.ts';
import { isLeaseLive, type Lease } from '../../../src/domain/market/lock.ts';
import type {
  BidAnswer,
  ProviderCommit,
  ProviderExecution,
  ProviderStore,
} from '../../../src/provider/ports.ts';

/** What is on this provider's disk, and every batch that led there. The test may hold batches up or have them fail. */
export class ScriptedProviderStore implements ProviderStore {
  readonly commits: ProviderCommit[] = [];
  readonly leases = new Map<string, Lease>();
  readonly executions = new Map<string, ProviderExecution>();
  readonly contracts = new Map<string, ContractRecord>();
  readonly nevers = new Map<string, Evidence<ContractNever>>();
  readonly answers = new Map<string, BidAnswer>();
  /** Errors for the next batches, one each. */
  readonly failures: Error[] = [];
  /** Batches wait for it. */
  gate: Promise<void> = Promise.resolve();

  async commit(commit: ProviderCommit): Promise<void> {
    await this.gate;
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    this.commits.push(commit);
    for (const lease of commit.leases ?? []) {
      if (isLeaseLive(lease)) this.leases.set(lease.lockId, lease);
      else this.leases.delete(lease.lockId);
    }
    for (const execution of commit.executions ?? [])
      this.executions.set(execution.item.executionId, execution);
    for (const id of commit.forgottenExecutionIds ?? []) this.executions.delete(id);
    for (const contract of commit.contracts ?? []) this.contracts.set(contract.contractId, contract);
    for (const never of commit.nevers ?? []) this.nevers.set(never.value.contractId, never);
    for (const answer of commit.answers ?? []) this.answers.set(answer.requestId, answer);
  }

  async load(): ReturnType<ProviderStore['load']> {
    const versions = [...this.leases.values()].map(({ version }) => version);
    return {
      leases: [...this.leases.values()],
      executions: [...this.executions.values()],
      highestLockVersion: Math.max(0, ...versions),
    };
  }

  async contract(contractId: string): Promise<ContractRecord | undefined> {
    return this.contracts.get(contractId);
  }

  async never(contractId: string): Promise<Evidence<ContractNever> | undefined> {
    return this.nevers.get(contractId);
  }

  async answer(requestId: string): Promise<BidAnswer | undefined> {
    return this.answers.get(requestId);
  }
}
