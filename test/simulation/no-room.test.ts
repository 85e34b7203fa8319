import { jobSentence } from '../../src/words/job-words.ts';
import { describe, expect, it } from 'vitest';
import type { JobSnapshot } from '../../src/domain/job/plan.ts';
import { codeOf } from '../../src/lib/coded-error.ts';
import { type Machine, World } from './world.ts';

async function market(names: readonly string[]): Promise<{
  world: World;
  requester: Machine;
  providers: readonly Machine[];
}> {
  const world = new World({ seed: 'no room' });
  const requester = await world.start('requester', { provides: false });
  const providers: Machine[] = [];
  for (const name of names) providers.push(await world.start(name, { provides: true }));
  await world.clock.advanceBy(3000);
  return { world, requester, providers };
}

async function jobOf(world: World, requester: Machine, jobId: string): Promise<JobSnapshot> {
  const { orchestrator } = world.nodeOf(requester);
  const snapshot = await world.clock.runUntilSettled(orchestrator.job(jobId), 1000);
  if (snapshot === undefined) throw new Error('the job is gone');
  return snapshot;
}

async function untilState(
  world: World,
  requester: Machine,
  jobId: string,
  state: string,
): Promise<JobSnapshot> {
  const { orchestrator } = world.nodeOf(requester);
  const there = async (): Promise<boolean> => (await orchestrator.job(jobId))?.job.state === state;
  await world.until(there, 60_000, `the job is ${state}`);
  return jobOf(world, requester, jobId);
}

const peerOf = ({ identity }: Machine): string => identity.peerId;

describe('a provider without room', () => {
  it.each(['diskFull', 'quotaFull'] as const)(
    'that finds out as it fetches the inputs is tried once, also where it is preferred: %s',
    async (setting) => {
      const { world, requester, providers } = await market(['full', 'other', 'third']);
      const [full] = providers;
      if (full === undefined) throw new Error('no provider');
      const { orchestrator } = world.nodeOf(requester);
      const jobId = await world.post(requester, { preferredProviders: [peerOf(full)] }, (posted) => {
        orchestrator.watch(posted, (events) => {
          if (events.some(({ type }) => type === 'contract.proposed')) full.room[setting] = true;
        });
      });
      const { executions } = await untilState(world, requester, jobId, 'Completed');
      const there = executions.filter(({ provider }) => provider === peerOf(full));
      expect(there).toHaveLength(1);
      // Refused before the contract, or its own failure after it; never the fault of the job.
      const [{ observed } = { observed: undefined }] = there;
      const end = observed !== undefined && 'end' in observed ? observed.end : undefined;
      expect(['internal', 'denied']).toContain(end?.exitReason);
      expect(executions.at(-1)?.provider).not.toBe(peerOf(full));
      await world.stop();
    },
  );

  it.each([
    ['diskFull', 'dataDir'],
    ['quotaFull', 'limits.contentQuotaBytes'],
  ] as const)(
    'makes no bid, names the setting, and is asked again once there is room: %s',
    async (what, name) => {
      const { world, requester, providers } = await market(['full']);
      const [full] = providers;
      if (full === undefined) throw new Error('no provider');
      full.room[what] = true;
      const jobId = await world.post(requester);
      const { job, executions } = await untilState(world, requester, jobId, 'Queued');
      expect(executions).toEqual([]);
      expect(job.why && jobSentence(job.why)).toContain(`INSUFFICIENT_RESOURCES (${name})`);
      full.room[what] = false;
      await untilState(world, requester, jobId, 'Completed');
      await world.stop();
    },
  );
});

describe('a requester without room', () => {
  it('takes no job, and has promised nothing', async () => {
    const { world, requester } = await market(['provider']);
    requester.room.diskFull = true;
    const refused = world.post(requester).then(
      () => undefined,
      (error: unknown) => codeOf(error),
    );
    expect(await world.clock.runUntilSettled(refused, 1000)).toBe('DISK_FULL');
    requester.room.diskFull = false;
    const listed = world.nodeOf(requester).orchestrator.jobs({ limit: 10 });
    expect((await world.clock.runUntilSettled(listed, 1000)).items).toEqual([]);
    await world.stop();
  });

  it.each(['diskFull', 'quotaFull'] as const)(
    'has its results wait at their providers, and loses none: %s',
    async (setting) => {
      const { world, requester } = await market(['provider']);
      const jobId = await world.post(requester);
      requester.room[setting] = true;
      await world.clock.advanceBy(120_000);
      const waiting = await jobOf(world, requester, jobId);
      expect(waiting.executions.map(({ observed }) => observed.state)).toEqual(['Publishing']);
      requester.room[setting] = false;
      const { executions } = await untilState(world, requester, jobId, 'Completed');
      expect(executions).toHaveLength(1);
      await world.stop();
    },
  );
});
