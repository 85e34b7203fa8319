import { type DataTable, Given, Then, When } from 'quickpickle';
import { expect } from 'vitest';
import type { MarketWorld } from '../support/market-world.ts';
import type { PostedJob } from '../support/posted-job.ts';
import { isAlive } from '../support/process-market.ts';
import { until } from '../support/until.ts';

type Row = Readonly<Record<string, string>>;

async function startProcess(
  world: MarketWorld,
  { node = '', provides, bubblewrap }: Row = {},
): Promise<void> {
  await world.processes.start(node, { provides: provides !== 'no', bubblewrap: bubblewrap !== 'absent' });
}

/** Kills a node as soon as the job has come to an event. */
async function killAt(world: MarketWorld, name: string, type: string): Promise<void> {
  world.eventsBefore = await world.job.eventsUntil(
    `the job has come to ${type}`,
    (event) => event.type === type,
  );
  await world.processes.kill(name);
}

/** A job whose requester is killed at an event, and started again. */
async function interruptedJob(
  world: MarketWorld,
  words: string,
  name: string,
  type: string,
): Promise<PostedJob> {
  const job = await world.post(name, undefined, world.program(words));
  await killAt(world, name, type);
  await world.processes.start(name);
  return job;
}

Given('the node processes:', async (world: MarketWorld, table: DataTable) => {
  // All but the first are told of the first alone, and start together.
  const [first, ...others] = table.hashes();
  await startProcess(world, first);
  await Promise.all(others.map((row: Row) => startProcess(world, row)));
  await world.processesReady();
});

When('{string} is killed', async (world: MarketWorld, name: string) => {
  await world.processes.kill(name);
});

When('{string} is killed at {string}', killAt);

When('{string} is started again', async (world: MarketWorld, name: string) => {
  await world.processes.start(name);
});

When('the provider of the job is killed', async (world: MarketWorld) => {
  const { executions } = await world.job.view();
  const running = executions.filter(({ observedState }) => observedState === 'Running');
  expect(running).toHaveLength(1);
  const name = world.nameOf(running[0]?.provider ?? '');
  world.orphans = await world.processes.processesBelow(name);
  expect(world.orphans.length).toBeGreaterThan(0);
  world.killed.push(name);
  await world.processes.kill(name);
});

Then('no process of the job is left after {int} seconds', async (world: MarketWorld, seconds: number) => {
  await until('every process of the job is gone', seconds * 1000, async () => {
    const alive = await Promise.all(world.orphans.map(isAlive));
    return !alive.includes(true);
  });
});

Then('the job runs on another provider within {int} seconds', async (world: MarketWorld, seconds: number) => {
  const events = await world.job.eventsUntil(
    'the job runs again',
    (() => {
      let starts = 0;
      return ({ type }) => type === 'execution.started' && (starts += 1) > world.killed.length;
    })(),
    seconds * 1000,
  );
  expect(world.killed).not.toContain(world.nameOf(events.at(-1)?.provider ?? ''));
});

When('the killed providers are started again', async (world: MarketWorld) => {
  await Promise.all(world.killed.map((name) => world.processes.start(name)));
});

Then(
  /^a job that (.+) completes, although "(\w+)" is killed at "([\w.]+)"$/,
  async (world: MarketWorld, words: string, name: string, type: string) => {
    const job = await interruptedJob(world, words, name, type);
    await job.ends('job.completed');
  },
);

Then(
  /^a job that (.+) completes under the contract it had, and once, although "(\w+)" is killed at "([\w.]+)"$/,
  async (world: MarketWorld, words: string, name: string, type: string) => {
    const job = await interruptedJob(world, words, name, type);
    const { executions } = await job.ends('job.completed');
    const accepted = world.eventsBefore.find((event) => event.type === 'contract.accepted');
    const contractId = accepted?.data?.['contractId'];
    expect(contractId).toEqual(expect.any(String));
    expect(executions).toMatchObject([{ contractId, attempt: 1, observedState: 'Completed' }]);
    expect(await job.contracts()).toMatchObject([{ id: contractId }]);
    expect(await job.resultText('stdout')).toBe('worked\n');
  },
);

Then(
  /^a job that (.+) fails once: ([\w-]+), although "(\w+)" is killed at "([\w.]+)"$/,
  async (world: MarketWorld, words: string, reason: string, name: string, type: string) => {
    const job = await interruptedJob(world, words, name, type);
    const { executions } = await job.ends('job.failed');
    expect(executions).toMatchObject([{ attempt: 1, observedState: 'Failed', exitReason: reason }]);
  },
);

Then('every provider has all of its capacity again', async (world: MarketWorld) => {
  await world.capacityIsBack();
});
