import { type DataTable, Given, Then, When } from 'quickpickle';
import { expect } from 'vitest';
import type { MarketWorld } from '../support/market-world.ts';
import { isAlive } from '../support/process-market.ts';
import { until } from '../support/until.ts';

type Row = Readonly<Record<string, string>>;

async function startProcess(world: MarketWorld, { node = '', provides }: Row = {}): Promise<void> {
  await world.processes.start(node, provides !== 'no');
}

Given('the node processes:', async (world: MarketWorld, table: DataTable) => {
  // All but the first are told of the first alone, and start together.
  const [first, ...others] = table.hashes();
  await startProcess(world, first);
  await Promise.all(others.map((row: Row) => startProcess(world, row)));
  await world.processesReady();
});

When(
  /^"(\w+)" posts a job that (.*), and is killed at "([\w.]+)"$/,
  async (world: MarketWorld, name: string, words: string, type: string) => {
    const job = await world.post(name, undefined, world.program(words));
    world.eventsBefore = await job.eventsUntil(`the job has come to ${type}`, (event) => event.type === type);
    await world.processes.kill(name);
  },
);

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

Then('the contract is still the one it had, and the work was done once', async (world: MarketWorld) => {
  const accepted = world.eventsBefore.find(({ type }) => type === 'contract.accepted');
  const contractId = accepted?.data?.['contractId'];
  expect(contractId).toEqual(expect.any(String));
  const { executions } = await world.job.view();
  expect(executions).toMatchObject([{ contractId, attempt: 1, observedState: 'Completed' }]);
  const contracts = await world.job.api.contracts(world.job.location);
  expect(contracts).toMatchObject([{ id: contractId }]);
  const stdout = await world.job.api.bytes(`${world.job.location}/results/stdout`);
  expect(new TextDecoder().decode(stdout)).toBe('worked\n');
});

Then('every provider has all of its capacity again', async (world: MarketWorld) => {
  await world.capacityIsBack();
});
