import type { ContractRecord } from '../../src/domain/market/contract.ts';
import type { Machine, World } from './world.ts';

/** Contracts whose two copies do not agree, in words. */
export async function disagreements(
  world: World,
  requester: Machine,
  jobs: readonly string[],
): Promise<readonly string[]> {
  const { orchestrator } = world.nodeOf(requester);
  const said: string[] = [];
  for (const jobId of jobs) {
    for (const contract of await orchestrator.contracts(jobId)) {
      const machine = [...world.machines.values()].find(
        ({ identity }) => identity.peerId === contract.terms.value.provider,
      );
      if (machine === undefined) continue;
      const copy = await world.nodeOf(machine).store.provider.contract(contract.contractId);
      if (!agree(contract, copy)) {
        said.push(`${contract.executionId}: ${contract.state} here, ${copy?.state ?? 'none'} there`);
      }
    }
  }
  return said;
}

/** A provider that never accepted has nothing to keep; whoever has accepted knows the same end. */
function agree(contract: ContractRecord, copy: ContractRecord | undefined): boolean {
  if (contract.state === 'DECLINED' || contract.state === 'PROPOSED') return copy === undefined;
  if (copy === undefined) return contract.state === 'TERMINATED';
  return copy.state === contract.state;
}
