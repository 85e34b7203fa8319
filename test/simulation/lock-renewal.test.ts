import { expect, test } from 'vitest';
import { defaultProviderLimits } from '../../src/provider/options.ts';
import { World } from './world.ts';

/** So little is left of the lock by then that its provider takes no proposal for it. */
const LEFT_MS = defaultProviderLimits.lockMarginMs / 2;

test('a lock that has nearly run out when its bid wins is renewed, and becomes a contract', async () => {
  const world = new World({ seed: 3, lockOnBid: true, network: { breakDetectionMs: 600_000 } });
  const requester = await world.start('requester', { provides: false });
  await world.start('provider', { provides: true });
  const silent = await world.start('silent', { provides: true });
  await world.clock.advanceBy(1000);
  const { orchestrator } = world.nodeOf(requester);
  const completed = (jobId: string) =>
    world.until(
      async () => (await orchestrator.job(jobId))?.job.state === 'Completed',
      2 * defaultProviderLimits.lockTtlMs,
      'the job',
    );
  await completed(await world.post(requester, {}));
  // It has always answered, and nobody knows yet that it is gone: the window stays open to its end.
  world.crash(silent);

  const search = `${defaultProviderLimits.lockTtlMs - LEFT_MS}ms`;
  const jobId = await world.post(requester, { timeouts: { search } });
  await completed(jobId);
  const events = await world.clock.runUntilSettled(orchestrator.events(jobId, 0, 100), 1000);
  const types = events.map(({ type }) => type);
  expect(events.find(({ type }) => type === 'search.closed')).toMatchObject({ code: 'timeout' });
  expect(types).toContain('contract.accepted');
  expect(types).not.toContain('contract.declined');
  expect(types.filter((type) => type === 'search.opened')).toHaveLength(1);
  await world.stop();
});
