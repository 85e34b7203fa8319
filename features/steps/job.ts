import { type DataTable, Given, Then, When } from 'quickpickle';
import { expect } from 'vitest';
import { bytesOf } from '../../src/client/index.ts';
import { FollowedLog } from '../support/followed-log.ts';
import { withPeerIds } from '../support/job-text.ts';
import type { MarketWorld } from '../support/market-world.ts';
import { fileCid } from '../support/signature-check.ts';

Given('the script {string}:', (world: MarketWorld, name: string, text: unknown) => {
  world.scripts.set(name, String(text));
});

When('{string} posts a job', async (world: MarketWorld, name: string) => {
  await world.post(name);
});

When('{string} posts a job:', async (world: MarketWorld, name: string, text: unknown) => {
  await world.post(name, String(text));
});

When(/^"(\w+)" posts a job that ([^,]*[^:,])$/, async (world: MarketWorld, name: string, words: string) => {
  await world.post(name, undefined, world.program(words));
});

When(
  /^"(\w+)" posts a job that (.*):$/,
  async (world: MarketWorld, name: string, words: string, text: unknown) => {
    await world.post(name, String(text), world.program(words));
  },
);

When(
  '{string} and {string} post a job at once:',
  async (world: MarketWorld, first: string, second: string, text: unknown) => {
    await Promise.all([world.post(first, String(text)), world.post(second, String(text))]);
  },
);

When(
  '{string} posts {int} jobs one after the other:',
  async (world: MarketWorld, name: string, count: number, text: unknown) => {
    for (let posted = 0; posted < count; posted += 1) {
      await (await world.post(name, String(text))).ends('job.completed');
      await world.capacityIsBack();
    }
  },
);

When('the job of {string} is looked at', (world: MarketWorld, owner: string) => {
  world.lookAtJobOf(owner);
});

When('the job of {string} is cancelled', async (world: MarketWorld, owner: string) => {
  world.lookAtJobOf(owner);
  await world.job.cancel();
});

When('the job is cancelled', async (world: MarketWorld) => {
  await world.job.cancel();
});

When('the job is queued: {string}', async (world: MarketWorld, reason: string) => {
  await world.job.eventsUntil('the job is queued', ({ type }) => type === 'job.queued');
  expect(await world.job.view()).toMatchObject({ state: 'Queued', reason: expect.stringContaining(reason) });
});

When('the search is open', async (world: MarketWorld) => {
  await world.job.eventsUntil('the search is open', ({ type }) => type === 'search.opened');
});

When('the job is running', async (world: MarketWorld) => {
  await world.job.eventsUntil('the job is running', ({ type }) => type === 'execution.started');
});

When('its log is followed', (world: MarketWorld) => {
  const log = new FollowedLog(world.job);
  world.context.onTestFinished(() => log.abandon());
  world.log = log;
});

Then('{string} is read from the log while the job runs', async (world: MarketWorld, text: string) => {
  await world.log?.reads(text);
  expect(await world.job.view()).toMatchObject({ state: 'Running' });
});

Then('the log ends', async (world: MarketWorld) => {
  await world.log?.ends();
});

Then('the job completes', async (world: MarketWorld) => {
  await world.job.ends('job.completed');
});

Then('the job completes on {string}', async (world: MarketWorld, provider: string) => {
  await world.job.ends('job.completed');
  expect(await world.winners(world.job)).toEqual([provider]);
});

Then('both jobs complete, on {string} and on {string}', async (world: MarketWorld, a: string, b: string) => {
  await Promise.all(world.jobs.map((job) => job.ends('job.completed')));
  const winners = await Promise.all(world.jobs.map((job) => world.winners(job)));
  expect(winners.flat().toSorted()).toEqual([a, b].toSorted());
});

Then('the job fails: {string}', async (world: MarketWorld, reason: string) => {
  const job = await world.job.ends('job.failed');
  expect(job.state).toBe('Failed');
  expect(job.reason).toContain(reason);
});

Then(
  'the job fails within {int} ms: {string}',
  async (world: MarketWorld, limitMs: number, reason: string) => {
    const job = await world.job.ends('job.failed', limitMs);
    expect(job.reason).toContain(withPeerIds(reason, (name) => world.peerId(name)));
  },
);

Then('the job is stopped', async (world: MarketWorld) => {
  expect((await world.job.ends('job.stopped')).state).toBe('Stopped');
});

Then(
  /^the execution ended with exit code (\d+): ([\w-]+)$/,
  async (world: MarketWorld, code: string, reason: string) => {
    const { executions } = await world.job.view();
    expect(executions).toHaveLength(1);
    expect(executions[0]).toMatchObject({ exitCode: Number(code), exitReason: reason });
  },
);

Then(/^the execution ended: ([\w-]+)$/, async (world: MarketWorld, reason: string) => {
  const { executions } = await world.job.view();
  expect(executions).toHaveLength(1);
  expect(executions[0]).toMatchObject({ observedState: 'Failed', exitReason: reason });
});

Then('the execution was cancelled', async (world: MarketWorld) => {
  const { executions } = await world.job.view();
  expect(executions.map(({ observedState }) => observedState)).toEqual(['Cancelled']);
});

Then('the log of the job is {string}', async (world: MarketWorld, text: string) => {
  expect(await world.job.log()).toBe(unescaped(text));
});

Then(
  'the result of partition {int} has the files:',
  async (world: MarketWorld, partition: number, table: DataTable) => {
    const results = await world.job.results();
    const paths = results.find((result) => result.partition === partition)?.files.map(({ path }) => path);
    for (const { path, content } of table.hashes()) {
      expect(paths).toContain(path);
      expect(await world.job.resultText(path ?? '')).toBe(unescaped(content ?? ''));
    }
  },
);

Then(
  'every file of the result is on {string} under the content id of its bytes',
  async (world: MarketWorld, name: string) => {
    const { api } = world.node(name);
    const files = (await world.job.results()).flatMap((result) => result.files);
    expect(files.map(({ path }) => path)).toContain('exit.json');
    for (const { cid, size } of files) {
      const bytes = await bytesOf(await api.downloadBlob(cid));
      expect(bytes).toHaveLength(size);
      expect(fileCid(bytes)).toBe(cid);
    }
  },
);

Then('the partitions 0, 1 and 2 of 3 each printed their own index', async (world: MarketWorld) => {
  for (const partition of [0, 1, 2]) {
    const printed = await world.job.resultText(`p${partition}/stdout`);
    const variables = printed.split('\0');
    expect(variables).toContain(`BIDMESH_PARTITION_INDEX=${partition}`);
    expect(variables).toContain('BIDMESH_PARTITION_COUNT=3');
  }
});

/** Gherkin keeps backslashes; a line end is written `\n` in a scenario. */
function unescaped(text: string): string {
  return text.replaceAll(String.raw`\n`, '\n');
}
