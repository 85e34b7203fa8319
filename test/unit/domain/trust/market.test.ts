import { expect, test } from 'vitest';
import type { Rank, Search } from '../../../../src/domain/market/search.ts';
import { type Machine, World } from '../../../simulation/world.ts';

async function finish(world: World, requester: Machine, jobId: string): Promise<Search> {
  const { orchestrator } = world.nodeOf(requester);
  const isDone = async (): Promise<boolean> => (await orchestrator.job(jobId))?.job.state === 'Completed';
  await world.until(isDone, 120_000, `job ${jobId}`);
  const searches = await world.clock.runUntilSettled(orchestrator.searches(jobId), 1000);
  const newest = searches.at(-1);
  if (newest === undefined) throw new Error(`job ${jobId} was never searched for`);
  return newest;
}

function rankOf({ index }: Search, machine: Machine, name: string): Rank | undefined {
  const entry = index.entries.find(({ provider }) => provider === machine.identity.peerId);
  return entry?.ranks.find((rank) => rank.name === name);
}

test('a provider that lost an execution comes after its equal, also when the requester was away', async () => {
  const world = new World({ seed: 'strikes', workMs: () => 2000 });
  const requester = await world.start('requester', { provides: false });
  const providers = [
    await world.start('provider-1', { provides: true }),
    await world.start('provider-2', { provides: true }),
  ];
  await world.clock.advanceBy(1000);

  const first = await world.post(requester);
  const { orchestrator } = world.nodeOf(requester);
  const runsOn = async (): Promise<string | undefined> =>
    (await orchestrator.job(first))?.executions.find(({ observed }) => observed.state === 'Running')
      ?.provider;
  await world.until(async () => (await runsOn()) !== undefined, 10_000, 'the first job runs');
  const chosen = await world.clock.runUntilSettled(runsOn(), 1000);
  const bad = providers.find(({ identity }) => identity.peerId === chosen);
  const good = providers.find(({ identity }) => identity.peerId !== chosen);
  if (bad === undefined || good === undefined) throw new Error('the job runs on neither provider');
  world.crash(bad);
  await finish(world, requester, first);
  await world.boot(bad);
  await world.clock.advanceBy(10_000);

  const second = await finish(world, requester, await world.post(requester));
  expect(second.index.entries.map(({ provider }) => provider)).toEqual([
    good.identity.peerId,
    bad.identity.peerId,
  ]);
  expect(rankOf(second, bad, 'behaviour')).toMatchObject({
    why: { code: 'strikes', data: { tallies: [{ kind: 'lost-execution', count: 1 }] } },
  });
  expect(rankOf(second, good, 'behaviour')).toMatchObject({
    value: 1000,
    why: { code: 'strikes', data: { tallies: [] } },
  });
  expect(rankOf(second, good, 'fit')?.why.code).toBe('leaves-unused');
  expect(rankOf(second, good, 'roundTrip')?.why.code).toBe('round-trip');

  world.crash(requester);
  await world.boot(requester);
  await world.clock.advanceBy(5000);
  const third = await finish(world, requester, await world.post(requester));
  expect(rankOf(third, bad, 'behaviour')?.value).toBeLessThan(600);
  expect(third.index.entries[0]?.provider).toBe(good.identity.peerId);
  await world.stop();
});
