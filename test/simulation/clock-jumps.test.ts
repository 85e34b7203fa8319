import { jobSentence } from '../../src/words/job-words.ts';
import { describe, expect, test } from 'vitest';
import type { JobState } from '../../src/domain/job/job.ts';
import { type Machine, World } from './world.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const JUMPS = [HOUR_MS, -HOUR_MS, 3 * DAY_MS, -3 * DAY_MS];
const SOON_MS = 60_000;

interface Scene {
  readonly world: World;
  readonly requester: Machine;
  readonly providers: readonly Machine[];
}

async function scene(
  options: { workMs?: number; providers?: number; provides?: boolean } = {},
): Promise<Scene> {
  const world = new World({ seed: 'clock jumps', workMs: () => options.workMs ?? 8000 });
  const requester = await world.start('requester', { provides: options.provides ?? false });
  const providers: Machine[] = [];
  for (let number = 1; number <= (options.providers ?? 1); number += 1) {
    providers.push(await world.start(`provider-${number}`, { provides: true }));
  }
  await world.clock.advanceBy(500);
  return { world, requester, providers };
}

async function stateOf({ world, requester }: Scene, jobId: string): Promise<JobState | undefined> {
  const { orchestrator } = world.nodeOf(requester);
  return (await world.clock.runUntilSettled(orchestrator.job(jobId), 1000))?.job.state;
}

async function untilState(scene: Scene, jobId: string, state: JobState, withinMs = SOON_MS): Promise<void> {
  const { world, requester } = scene;
  const reached = async (): Promise<boolean> =>
    (await world.nodeOf(requester).orchestrator.job(jobId))?.job.state === state;
  await world.until(reached, withinMs, `the job is ${state}`);
}

async function attemptsOf({ world, requester }: Scene, jobId: string): Promise<number> {
  const { orchestrator } = world.nodeOf(requester);
  return (await world.clock.runUntilSettled(orchestrator.job(jobId), 1000))?.executions.length ?? 0;
}

/** More than a machine has, so the job waits for one that has room. */
const WHOLE_MACHINE = { resources: { cpu: '4' } };

describe.each(JUMPS)('a clock that jumps by %i ms and stays there', (byMs) => {
  test('on the requester: what runs goes on to its end, in its one attempt', async () => {
    const played = await scene();
    const { world, requester } = played;
    const jobId = await world.post(requester);
    await untilState(played, jobId, 'Running');
    requester.wall.offsetMs += byMs;
    await untilState(played, jobId, 'Completed');
    expect(await attemptsOf(played, jobId)).toBe(1);
    await world.stop();
  });

  test('on the provider: what runs goes on to its end, in its one attempt', async () => {
    const played = await scene();
    const { world, requester, providers } = played;
    const jobId = await world.post(requester);
    await untilState(played, jobId, 'Running');
    for (const { wall } of providers) wall.offsetMs += byMs;
    await untilState(played, jobId, 'Completed');
    expect(await attemptsOf(played, jobId)).toBe(1);
    await world.stop();
  });

  test('on a requester that is down: what ran meanwhile is taken in', async () => {
    const played = await scene();
    const { world, requester } = played;
    const jobId = await world.post(requester);
    await untilState(played, jobId, 'Running');
    world.crash(requester);
    requester.wall.offsetMs += byMs;
    await world.clock.advanceBy(10_000);
    await world.boot(requester);
    await untilState(played, jobId, 'Completed');
    expect(await attemptsOf(played, jobId)).toBe(1);
    await world.stop();
  });

  test('on a provider that is down: a result that it keeps is still there, and capacity comes back', async () => {
    const played = await scene({ workMs: 2000 });
    const { world, requester, providers } = played;
    const [provider] = providers;
    if (provider === undefined) throw new Error('there is no provider');
    const jobId = await world.post(requester);
    await untilState(played, jobId, 'Running');
    world.network.partition([requester.identity.peerId], [provider.identity.peerId]);
    await world.clock.advanceBy(3000);
    world.crash(provider);
    provider.wall.offsetMs += byMs;
    await world.boot(provider);
    world.network.heal();
    await untilState(played, jobId, 'Completed');
    expect(await attemptsOf(played, jobId)).toBe(1);
    expect(world.nodeOf(provider).provider?.leases()).toEqual([]);
    await world.stop();
  });

  test.each(['contract.proposed', 'lock.requested', 'lock.acquired'] as const)(
    'on the requester, right at %s: the job is placed and done',
    async (type) => {
      const played = await scene({ workMs: 1000 });
      const { world, requester } = played;
      const jobId = await world.post(requester, {}, (posted) => {
        world.nodeOf(requester).orchestrator.watch(posted, (events) => {
          if (events.some((event) => event.type === type)) requester.wall.offsetMs = byMs;
        });
      });
      await untilState(played, jobId, 'Completed');
      expect(requester.wall.offsetMs).toBe(byMs);
      await world.stop();
    },
  );
});

describe('a job that is posted while the clock is wrong', () => {
  test.each(JUMPS)('by %i ms is placed once it is right', async (byMs) => {
    const played = await scene({ workMs: 1000 });
    const { world, requester } = played;
    requester.wall.offsetMs = byMs;
    const jobId = await world.post(requester, { timeouts: { queue: '10m' } });
    await world.clock.advanceBy(20_000);
    requester.wall.offsetMs = 0;
    await untilState(played, jobId, 'Completed');
    expect(world.record.finishes.size).toBe(1);
    await world.stop();
  });
});

describe('jobs that are queued while a clock is wrong', () => {
  const queued = { ...WHOLE_MACHINE, timeouts: { queue: '10m', total: '2h' } };

  test.each([
    [HOUR_MS, false],
    [HOUR_MS, true],
    [DAY_MS, true],
    [-HOUR_MS, true],
  ])('%i ms off and right again, with a restart between: %s', async (byMs, restarts) => {
    const played = await scene({ providers: 0 });
    const { world, requester } = played;
    requester.wall.offsetMs = byMs;
    const jobIds = [await world.post(requester, queued), await world.post(requester, queued)];
    for (const jobId of jobIds) await untilState(played, jobId, 'Queued');
    if (restarts) {
      world.crash(requester);
      requester.wall.offsetMs = 0;
      await world.boot(requester);
    }
    requester.wall.offsetMs = 0;
    await world.start('late provider', { provides: true });
    await world.start('late provider too', { provides: true });
    for (const jobId of jobIds) await untilState(played, jobId, 'Completed', 2 * SOON_MS);
    expect(world.record.finishes.size).toBe(2);
    await world.stop();
  });

  test('wait as long as they are to, and no longer', async () => {
    const played = await scene({ providers: 0 });
    const { world, requester } = played;
    const jobId = await world.post(requester, { ...queued, timeouts: { queue: '10m' } });
    await untilState(played, jobId, 'Queued');
    requester.wall.offsetMs = HOUR_MS;
    await world.clock.advanceBy(5 * 60_000);
    requester.wall.offsetMs = -HOUR_MS;
    expect(await stateOf(played, jobId)).toBe('Queued');
    await untilState(played, jobId, 'Failed', 10 * 60_000);
    await world.stop();
  });
});

describe('what is over', () => {
  test.each([DAY_MS * 40, -DAY_MS * 40])(
    'is kept when the clock jumps by %i ms, and shown in order',
    async (byMs) => {
      const played = await scene({ workMs: 500 });
      const { world, requester, providers } = played;
      const jobId = await world.post(requester);
      await untilState(played, jobId, 'Completed');
      for (const { wall } of [requester, ...providers]) wall.offsetMs += byMs;
      await world.clock.advanceBy(10 * 60_000);
      expect(await stateOf(played, jobId)).toBe('Completed');
      const node = world.nodeOf(requester);
      const events = await world.clock.runUntilSettled(node.orchestrator.events(jobId, 0, 100), 1000);
      const shown = events.map(({ at }) => node.store.calendar.isoTime(at));
      expect(shown).toEqual(shown.toSorted());
      const [provider] = providers;
      const contracts = await world.clock.runUntilSettled(node.orchestrator.contracts(jobId), 1000);
      if (provider === undefined) throw new Error('there is no provider');
      const { store } = world.nodeOf(provider);
      for (const { contractId } of contracts) {
        const kept = await world.clock.runUntilSettled(store.provider.contract(contractId), 1000);
        expect(kept?.state).toBe('COMPLETED');
      }
      await world.stop();
    },
  );
});

describe('what a message says of times', () => {
  const WITHIN_TOLERANCE = [4 * 60_000, -4 * 60_000];

  test.each(WITHIN_TOLERANCE)('never compares clocks: the provider is off by %i ms', async (byMs) => {
    const played = await scene({ workMs: 20_000 });
    const { world, requester, providers } = played;
    for (const { wall } of providers) wall.offsetMs = byMs;
    const description = { retry: { attempts: 3, on: ['lost'] }, timeouts: { queue: '30s' } };
    const jobId = await world.post(requester, description);
    await untilState(played, jobId, 'Running');
    await world.clock.advanceBy(6000);
    for (const machine of providers) world.crash(machine);
    await untilState(played, jobId, 'Failed', 5 * 60_000);
    const { orchestrator } = world.nodeOf(requester);
    const snapshot = await world.clock.runUntilSettled(orchestrator.job(jobId), 1000);
    const why = snapshot?.job.why;
    expect(why && jobSentence(why)).toMatch(/^Lost by \S+ after 1\d(\.\d)? s; then/);
    await world.stop();
  });
});
