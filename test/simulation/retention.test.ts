import { afterEach, describe, expect, it } from 'vitest';
import type { RetentionOptions } from '../../src/store/options.ts';
import { type Machine, World } from './world.ts';

let world: World;

afterEach(() => world.stop());

async function completedJob(retention: Partial<RetentionOptions>): Promise<{
  readonly requester: Machine;
  readonly provider: Machine;
  readonly jobId: string;
  readonly contractId: string;
}> {
  world = new World({ seed: 1, retention });
  const requester = await world.start('requester', { provides: false });
  const provider = await world.start('provider', { provides: true });
  await world.clock.advanceBy(1000);
  const jobId = await world.post(requester);
  const { jobs } = world.nodeOf(requester).store;
  await world.until(
    async () => (await jobs.snapshot(jobId))?.job.state === 'Completed',
    20_000,
    'the end of the job',
    10,
  );
  const [contract] = await world.clock.runUntilSettled(jobs.contractsOf(jobId), 1000);
  return { requester, provider, jobId, contractId: contract?.contractId ?? '' };
}

describe('a node', () => {
  it('forgets what is over on both sides of a contract', async () => {
    const { requester, provider, jobId, contractId } = await completedJob({
      finishedJobsMs: 20_000,
      endedContractsMs: 20_000,
      everyMs: 1000,
    });
    const { jobs } = world.nodeOf(requester).store;
    const ofProvider = world.nodeOf(provider).store.provider;
    await world.clock.advanceBy(15_000);
    expect(await jobs.snapshot(jobId)).toBeDefined();
    expect(await ofProvider.contract(contractId)).toMatchObject({ state: 'COMPLETED' });
    await world.clock.advanceBy(10_000);
    expect(await jobs.snapshot(jobId)).toBeUndefined();
    expect(await jobs.contract(contractId)).toBeUndefined();
    expect(await ofProvider.contract(contractId)).toBeUndefined();
  });

  it('serves the next job as before when everything is forgotten at once', async () => {
    const { requester, jobId } = await completedJob({
      finishedJobsMs: 0,
      finishedJobs: 0,
      endedContractsMs: 0,
      neversMs: 0,
      everyMs: 50,
    });
    const { orchestrator, store } = world.nodeOf(requester);
    const next = await world.post(requester);
    let completed = false;
    store.jobs.watch(next, (events) => {
      completed ||= events.some(({ type }) => type === 'job.completed');
    });
    await world.until(async () => completed, 20_000, 'the end of the next job');
    await world.clock.advanceBy(10_000);
    expect(await orchestrator.job(jobId)).toBeUndefined();
    expect(await orchestrator.job(next)).toBeUndefined();
  });
});
