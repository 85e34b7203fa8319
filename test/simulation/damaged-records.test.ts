import { expect, it } from 'vitest';
import type { Machine } from './world.ts';
import { World } from './world.ts';

/** Flips a bit in every value whose key begins so. */
async function damage(machine: Machine, world: World, prefix: string): Promise<void> {
  const database = await machine.disk.open();
  const broken: [string, Uint8Array][] = [];
  for await (const [key, value] of database.range({ gte: prefix, lt: `${prefix}\u{10ffff}` })) {
    broken.push([key, value.map((byte, index) => (index === value.length - 1 ? byte ^ 1 : byte))]);
  }
  expect(broken.length).toBeGreaterThan(0);
  const written = database.batch(broken.map(([key, value]) => ({ type: 'put', key, value })));
  await world.clock.runUntilSettled(written, 1000);
  await world.clock.runUntilSettled(database.close(), 1000);
}

it.each(['job!', 'job-head!', 'execution!', 'search!'])(
  'a requester with a damaged record %s starts, names it, and goes on with its other jobs',
  async (bucket) => {
    const world = new World({ seed: bucket, workMs: () => 5000 });
    const requester = await world.start('requester', { provides: false });
    await world.start('provider', { provides: true });
    await world.clock.advanceBy(1000);
    const damaged = await world.post(requester);
    const other = await world.post(requester);
    await world.clock.advanceBy(2000);
    world.crash(requester);
    await damage(requester, world, `${bucket}${damaged}`);
    const node = await world.boot(requester);
    const { orchestrator } = node;
    await world.until(
      async () => (await orchestrator.job(other))?.job.state === 'Completed',
      60_000,
      'the job that is whole',
    );
    const unreadable = { code: 'RECORD_UNREADABLE' };
    await expect(world.clock.runUntilSettled(orchestrator.job(damaged), 1000)).rejects.toMatchObject(
      unreadable,
    );
    const listed = await world.clock.runUntilSettled(orchestrator.jobs({ limit: 10 }), 1000);
    expect(listed.items.map(({ job }) => job.id)).toEqual([other]);
    const fresh = await world.post(requester);
    await world.until(
      async () => (await orchestrator.job(fresh))?.job.state === 'Completed',
      60_000,
      'a job that is posted afterwards',
    );
    expect(node.store.damage().first.map(({ where }) => where)).toContainEqual(
      expect.stringContaining(`${bucket}${damaged}`),
    );
    await world.stop();
  },
);
