import { beforeEach, describe, expect, test } from 'vitest';
import { type Machine, World } from './world.ts';

/** By silence alone it would be five seconds. */
const KNOWN_WITHIN_MS = 1500;

describe('a node that is asked to stop', () => {
  let world: World;
  let requester: Machine;
  let provider: Machine;

  beforeEach(async () => {
    world = new World({ seed: 'graceful', workMs: () => 60_000 });
    requester = await world.start('requester', { provides: false });
    provider = await world.start('provider', { provides: true });
    await world.clock.advanceBy(500);
  });

  const executionOf = async (jobId: string) =>
    (await world.nodeOf(requester).orchestrator.job(jobId))?.executions[0];

  test('tells its requester what it leaves, which then has it written down', async () => {
    const jobId = await world.post(requester, { retry: { attempts: 3, on: ['lost'] } });
    const running = async (): Promise<boolean> => (await executionOf(jobId))?.observed.state === 'Running';
    await world.until(running, 10_000, 'the work runs');
    const departure = world.shutDown(provider);
    await world.clock.advanceBy(KNOWN_WITHIN_MS);
    expect(departure.isOver()).toBe(true);
    expect((await executionOf(jobId))?.observed).toMatchObject({
      state: 'Failed',
      end: { exitReason: 'lost', why: { data: { text: 'The provider was stopped while this ran.' } } },
    });
    const contracts = await world.nodeOf(requester).orchestrator.contracts(jobId);
    expect(contracts.map(({ state }) => state)).toEqual(['TERMINATED']);
    await world.stop();
  });

  test('lets its negotiations go, so that what it had locked is free at once', async () => {
    let locked = false;
    for (let job = 0; job < 20 && !locked; job += 1) {
      await world.post(requester, { resources: { cpu: '100m' } });
      for (let step = 0; step < 200 && !locked; step += 1) {
        await world.clock.advanceBy(1);
        locked =
          world
            .nodeOf(provider)
            .provider?.leases()
            .some(({ state }) => state === 'held') === true;
      }
    }
    expect(locked).toBe(true);
    const departure = world.shutDown(requester);
    await world.clock.advanceBy(KNOWN_WITHIN_MS);
    expect(departure.isOver()).toBe(true);
    const held = world
      .nodeOf(provider)
      .provider?.leases()
      .filter(({ state }) => state === 'held');
    expect(held).toEqual([]);
    await world.stop();
  });
});
