import { type DataTable, Then, When } from 'quickpickle';
import { expect } from 'vitest';
import { ask, type HttpAnswer, problemOf } from '../support/http-answer.ts';
import type { MarketWorld } from '../support/market-world.ts';

const MEDIA_TYPES = { JSON: 'application/json', YAML: 'application/yaml' } as const;

async function post(
  world: MarketWorld,
  name: string,
  body: string,
  headers: Record<string, string>,
): Promise<void> {
  const answer = await ask(world.url(name), 'POST', '/orchestrator/postJob', { body, headers });
  world.answers.push(answer);
}

When(
  /^this (JSON|YAML) is posted to "(\w+)":$/,
  async (world: MarketWorld, format: keyof typeof MEDIA_TYPES, name: string, body: unknown) => {
    await post(world, name, String(body), { 'content-type': MEDIA_TYPES[format] });
  },
);

When(
  'this YAML is posted to {string} with the idempotency key {string}:',
  async (world: MarketWorld, name: string, key: string, body: unknown) => {
    await post(world, name, String(body), {
      'content-type': MEDIA_TYPES.YAML,
      'idempotency-key': key,
    });
  },
);

When(
  'a job of {int} MiB is posted to {string}',
  async (world: MarketWorld, sizeMib: number, name: string) => {
    const body = JSON.stringify({ name: 'x'.repeat(sizeMib * 2 ** 20) });
    await post(world, name, body, { 'content-type': MEDIA_TYPES.JSON });
  },
);

/** Each constraint has 4 KiB of values. */
When(
  'a job with {int} KiB of constraints is posted to {string}',
  async (world: MarketWorld, sizeKib: number, name: string) => {
    const hard = Array.from({ length: sizeKib / 4 }, (_, at) => ({
      key: `label.l${at}`,
      operator: 'NotIn',
      values: Array.from({ length: 32 }, (_value, index) => `${index}`.padStart(128, 'x')),
    }));
    const engine = { type: 'wasm', params: { module: { base64: 'AGFzbQEAAAA=' } } };
    const body = JSON.stringify({ engine, constraints: { hard } });
    await post(world, name, body, { 'content-type': MEDIA_TYPES.JSON });
  },
);

When('{string} is asked for {string}', async (world: MarketWorld, name: string, path: string) => {
  world.answers.push(await ask(world.url(name), 'GET', path));
});

Then('the answer is {int} with an empty body', (world: MarketWorld, status: number) => {
  expect(world.answer).toMatchObject({ status, body: '' });
});

Then('the answer is {int} {word}', (world: MarketWorld, status: number, code: string) => {
  expect({ status: world.answer.status, body: world.answer.body }).toMatchObject({ status });
  expect(world.answer.contentType).toContain('application/problem+json');
  expect(problemOf(world.answer)).toMatchObject({ status, code });
});

Then('the answer names these fields:', (world: MarketWorld, table: DataTable) => {
  const fields = problemOf(world.answer).errors?.map(({ path, code }) => ({ path, code }));
  expect(fields?.toSorted(byPath)).toEqual(table.hashes().toSorted(byPath));
});

Then('its Location is that of a job called {string}', async (world: MarketWorld, name: string) => {
  const location = locationOf(world.answer);
  expect(location).toMatch(/^\/orchestrator\/jobs\/[^/]+$/);
  const [owner] = world.nodeNames();
  const id = location.split('/').at(-1) ?? '';
  const job = await world.node(owner ?? '').api.getJob(id);
  expect(job).toMatchObject({ name, version: 1 });
  expect(location.endsWith(job.id)).toBe(true);
});

Then('both answers have the same Location', (world: MarketWorld) => {
  const [first, second] = world.answers.map(locationOf);
  expect(first).toBe(second);
});

Then('{string} has {int} job(s)', async (world: MarketWorld, name: string, count: number) => {
  expect((await world.node(name).api.listJobs()).items).toHaveLength(count);
});

function locationOf({ status, location, body }: HttpAnswer): string {
  if (location === undefined) throw new Error(`the answer has no Location: ${status} ${body}`);
  return location;
}

function byPath(a: { readonly path?: string }, b: { readonly path?: string }): number {
  return (a.path ?? '') < (b.path ?? '') ? -1 : 1;
}
