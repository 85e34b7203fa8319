import { expect, test } from 'vitest';
import { World } from './world.ts';

/** The history of a job whose requester crashes while it runs, as text. */
async function history(seed: string): Promise<string[]> {
  const world = new World({
    seed,
    network: { gossipLoss: 0.1, gossipRepeat: 0.2, gossipJitterMs: 50 },
    workMs: () => 800,
  });
  const requester = await world.start('requester', { provides: false });
  await world.start('provider-1', { provides: true });
  await world.start('provider-2', { provides: true });
  await world.clock.advanceBy(500);
  const jobId = await world.post(requester, { timeouts: { queue: '10m' } });
  await world.clock.advanceBy(400);
  world.crash(requester);
  await world.clock.advanceBy(3000);
  await world.boot(requester);
  const { orchestrator } = world.nodeOf(requester);
  await world.until(
    async () => (await orchestrator.job(jobId))?.job.state === 'Completed',
    60_000,
    'the job',
  );
  const events = await world.clock.runUntilSettled(orchestrator.events(jobId, 0, 100), 1000);
  await world.stop();
  return events.map(
    (event) => `${event.at} ${event.type} ${event.provider ?? ''} ${event.executionId ?? ''}`,
  );
}

test('one seed gives one history', async () => {
  const first = await history('a');
  expect(await history('a')).toEqual(first);
  expect(await history('b')).not.toEqual(first);
});

test('a contract outlives a crash of its requester: the same execution goes on and runs once', async () => {
  const started = (await history('c')).filter((line) => line.includes('execution.started'));
  expect(started).toHaveLength(1);
  expect(started[0]).toContain('.p0r0.a1');
});
