import { describe, expect, it } from 'vitest';
import { type Machine, World } from './world.ts';

/** Two of them do not fit on one provider. */
const LARGE = { resources: { cpu: '3' } };
const WORK_MS = 4000;

async function market(): Promise<{ world: World; requester: Machine; rival: Machine }> {
  const world = new World({ seed: 'room', workMs: () => WORK_MS });
  const requester = await world.start('requester', { provides: false });
  const rival = await world.start('rival', { provides: false });
  await world.start('provider', { provides: true });
  await world.clock.advanceBy(3000);
  return { world, requester, rival };
}

function stateOf(world: World, machine: Machine, jobId: string) {
  return world.nodeOf(machine).orchestrator.job(jobId);
}

async function untilDone(world: World, machine: Machine, jobId: string, limitMs: number): Promise<void> {
  const done = async (): Promise<boolean> =>
    (await stateOf(world, machine, jobId))?.job.state === 'Completed';
  await world.until(done, limitMs, `job ${jobId}`, 50);
}

describe('a job that says nothing of timeouts.queue', () => {
  it('waits for a provider that is full, and has its room at once when it is free', async () => {
    const { world, requester, rival } = await market();
    await world.post(rival, LARGE);
    await world.clock.advanceBy(300);
    const second = await world.post(requester, LARGE);
    await world.clock.advanceBy(1500);
    const waiting = await world.clock.runUntilSettled(stateOf(world, requester, second), 1000);
    expect(waiting?.job.state).toBe('Queued');
    // The rival's work ends, and this one's follows it: not by the next look, which is five seconds away.
    await untilDone(world, requester, second, 2 * WORK_MS + 1500);
    await world.stop();
  });

  it('of the same node follows at once on another one that ends', async () => {
    const { world, requester } = await market();
    const jobs = [];
    for (let job = 0; job < 4; job += 1) jobs.push(await world.post(requester, LARGE));
    const beganMs = world.clock.monotonicMs();
    for (const job of jobs) await untilDone(world, requester, job, 30_000);
    expect(world.clock.monotonicMs() - beganMs).toBeLessThan(4 * (WORK_MS + 1000));
    await world.stop();
  });

  it('is run as far as it fits when it is a sweep, and the rest of it after that', async () => {
    const { world, requester } = await market();
    const sweep = await world.post(requester, { count: 20, resources: { cpu: '330m' } });
    await world.clock.advanceBy(1500);
    const running = await world.clock.runUntilSettled(stateOf(world, requester, sweep), 1000);
    expect(running?.job.state).toBe('Running');
    expect(running?.executions.filter(({ observed }) => observed.state === 'Running')).toHaveLength(12);
    await untilDone(world, requester, sweep, 2 * WORK_MS + 2000);
    await world.stop();
  });

  it('fails at once where nobody could ever take it', async () => {
    const { world, requester } = await market();
    const job = await world.post(requester, { resources: { cpu: '64' } });
    await world.clock.advanceBy(6000);
    const failed = await world.clock.runUntilSettled(stateOf(world, requester, job), 1000);
    const because = [{ count: 1, why: { code: 'said-no', data: { field: 'cpu' } } }];
    expect(failed?.job).toMatchObject({ state: 'Failed', why: { code: 'nobody-could', data: { because } } });
    await world.stop();
  });
});
