import { expect, test } from 'vitest';
import { World } from './world.ts';

test('a job that is posted on one node is completed by another', async () => {
  const world = new World({ seed: 1 });
  const requester = await world.start('requester', { provides: false });
  await world.start('provider-1', { provides: true });
  await world.start('provider-2', { provides: true });
  await world.clock.advanceBy(1000);
  const jobId = await world.post(requester);
  const { orchestrator } = world.nodeOf(requester);
  await world.until(
    async () => (await orchestrator.job(jobId))?.job.state === 'Completed',
    20_000,
    'the job',
  );
  const events = await world.clock.runUntilSettled(orchestrator.events(jobId, 0, 100), 1000);
  expect(events.map((event) => event.type)).toEqual([
    'job.posted',
    'search.opened',
    'bid.received',
    'bid.received',
    'search.closed',
    'provider.shortlisted',
    'lock.requested',
    'lock.acquired',
    'contract.proposed',
    'contract.accepted',
    'execution.started',
    'execution.publishing',
    'execution.completed',
    'job.completed',
  ]);
  await world.stop();
});
