import type { ContractRecord } from '../../src/domain/market/contract.ts';
import type { MarketWorld } from './market-world.ts';

/** The contract of the job's completed execution as each side has it on disk. */
export async function bothCopies(
  world: MarketWorld,
): Promise<{ readonly requester: ContractRecord; readonly provider: ContractRecord }> {
  const { executions } = await world.job.view();
  const execution = executions.find(({ observedState }) => observedState === 'Completed');
  if (execution?.contractId === undefined) throw new Error('no execution of the job has completed');
  const provider = world.node(world.nameOf(execution.provider));
  const [ours, theirs] = await Promise.all([
    world.node(world.job.owner).node.store.jobs.contract(execution.contractId),
    provider.node.store.provider.contract(execution.contractId),
  ]);
  if (ours === undefined || theirs === undefined) throw new Error('one side does not have the contract');
  return { requester: ours, provider: theirs };
}
