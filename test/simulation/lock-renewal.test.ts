import { expect, test } from 'vitest';
import { identityOf } from '../../src/identity/index.ts';
import { protocolNames } from '../../src/network/names.ts';
import { defaultProviderLimits } from '../../src/provider/options.ts';
import { World } from './world.ts';

/** So little is left of the lock by then that its provider takes no proposal for it. */
const LEFT_MS = defaultProviderLimits.lockMarginMs / 2;

test('a lock that has nearly run out when its bid wins is renewed, and becomes a contract', async () => {
  const world = new World({ seed: 3, lockOnBid: true });
  const requester = await world.start('requester', { provides: false });
  await world.start('provider', { provides: true });
  // Never answers, so the window stays open to its end.
  const silent = world.network.node(identityOf(world.random.fork('silent').bytes(32)).peerId);
  silent.underlay.subscribe(protocolNames('simulated').requestsTopic, () => 'accept');
  await world.clock.runUntilSettled(silent.underlay.start(), 1000);
  await world.clock.advanceBy(1000);

  const search = `${defaultProviderLimits.lockTtlMs - LEFT_MS}ms`;
  const jobId = await world.post(requester, { timeouts: { search } });
  const { orchestrator } = world.nodeOf(requester);
  await world.until(
    async () => (await orchestrator.job(jobId))?.job.state === 'Completed',
    2 * defaultProviderLimits.lockTtlMs,
    'the job',
  );
  const events = await world.clock.runUntilSettled(orchestrator.events(jobId, 0, 100), 1000);
  const types = events.map(({ type }) => type);
  expect(events.find(({ type }) => type === 'search.closed')).toMatchObject({ code: 'timeout' });
  expect(types).toContain('contract.accepted');
  expect(types).not.toContain('contract.declined');
  expect(types.filter((type) => type === 'search.opened')).toHaveLength(1);
  await world.clock.runUntilSettled(silent.underlay.stop(), 1000);
  await world.stop();
});
