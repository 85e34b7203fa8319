import { afterEach, expect, it } from 'vitest';
import type { ContractRecord } from '../../src/domain/market/contract.ts';
import { type Machine, World } from './world.ts';

let world: World;

afterEach(() => world.stop());

interface Scene {
  readonly requester: Machine;
  readonly lost: Machine;
  readonly jobId: string;
}

/** A job whose first proposal was on its way when its provider died; another provider does the work meanwhile. */
async function placedElsewhere(seed: number): Promise<Scene> {
  world = new World({ seed });
  const requester = await world.start('requester', { provides: false });
  const providers = [
    await world.start('one', { provides: true }),
    await world.start('two', { provides: true }),
  ];
  await world.clock.advanceBy(1000);
  let lost: Machine | undefined;
  const { jobs } = world.nodeOf(requester).store;
  const jobId = await world.post(requester, {}, (id) => {
    jobs.watch(id, (events) => {
      const proposed = events.find(({ type }) => type === 'contract.proposed');
      if (lost !== undefined || proposed === undefined) return;
      lost = providers.find(({ identity }) => identity.peerId === proposed.provider);
      if (lost !== undefined) world.crash(lost);
    });
  });
  await world.until(
    async () => (await jobs.snapshot(jobId))?.job.state === 'Completed',
    60_000,
    'the end of the job elsewhere',
  );
  if (lost === undefined) throw new Error('no provider was lost');
  return { requester, lost, jobId };
}

async function contractWith({ requester, lost, jobId }: Scene): Promise<ContractRecord | undefined> {
  const { jobs } = world.nodeOf(requester).store;
  const contracts = await world.clock.runUntilSettled(jobs.contractsOf(jobId), 1000);
  return contracts.find(({ terms }) => terms.value.provider === lost.identity.peerId);
}

async function untilAnswered(scene: Scene): Promise<void> {
  await world.until(
    async () => (await contractWith(scene))?.state !== 'PROPOSED',
    120_000,
    'the answer to the proposal',
  );
  const requesters = await contractWith(scene);
  const { provider } = world.nodeOf(scene.lost).store;
  const id = requesters?.contractId ?? '';
  const [never, theirs] = await Promise.all([provider.never(id), provider.contract(id)]);
  expect([never === undefined, theirs === undefined]).toContain(false);
  expect(requesters?.state).toBe(never === undefined ? 'TERMINATED' : 'DECLINED');
}

it.each([1, 2, 3])('a provider that is back is asked what became of a proposal (seed %d)', async (seed) => {
  const scene = await placedElsewhere(seed);
  expect((await contractWith(scene))?.state).toBe('PROPOSED');
  await world.boot(scene.lost);
  await untilAnswered(scene);
});

it.each([4, 5])('and so it is when its requester had died meanwhile as well (seed %d)', async (seed) => {
  const scene = await placedElsewhere(seed);
  world.crash(scene.requester);
  await world.clock.advanceBy(5000);
  await world.boot(scene.requester);
  expect((await contractWith(scene))?.state).toBe('PROPOSED');
  await world.clock.advanceBy(60_000);
  await world.boot(scene.lost);
  await untilAnswered(scene);
});
