import { describe, expect, it } from 'vitest';
import type { Negotiation } from '../../../src/orchestrator/ports.ts';
import * as sample from '../messages/samples.ts';
import { MarketWorld, RecordingListener, type ScriptedProvider, scriptedProvider } from './market-world.ts';

const LOCK = { lockId: 'lock-1', version: 7, ttlMs: 5000 };

interface Scene {
  readonly world: MarketWorld;
  readonly provider: ScriptedProvider;
  readonly listener: RecordingListener;
  readonly disk: PromiseWithResolvers<void>;
}

/** A provider whose answer is being written down until the test lets it be. */
async function scene(locked: boolean): Promise<Scene> {
  const world = new MarketWorld();
  const disk = Promise.withResolvers<void>();
  const notary = world.notary('provider');
  const provider = scriptedProvider(notary, {
    answer: async ({ value: { requestId, jobId } }) => ({
      kind: 'bid',
      bid: notary.sign('bid', sample.bid({ requestId, jobId, ...(locked ? { lock: LOCK } : {}) })),
      durable: disk.promise,
    }),
  });
  const requester = await world.node('requester');
  await world.node('provider', { provider });
  const listener = new RecordingListener();
  requester.network.market.openRequest(world.request(requester), listener);
  await world.clock.advanceBy(100);
  return { world, provider, listener, disk };
}

const negotiationOf = ({ listener }: Scene): Negotiation => listener.bids[0]![1];

describe('a bid that is being written down', () => {
  it('leaves when it promises nothing that is held, and its lock waits', async () => {
    const it = await scene(false);
    expect(it.listener.bids).toHaveLength(1);
    const lock = negotiationOf(it).requestLock(sample.jobRequest(), 1000);
    await it.world.clock.advanceBy(100);
    expect(it.provider.calls.filter((call) => call.startsWith('lock'))).toEqual([]);
    it.disk.resolve();
    expect(await it.world.settled(lock)).toMatchObject({ type: 'bid' });
  });

  it('stays here when it has a lock', async () => {
    const { world, listener, disk } = await scene(true);
    expect(listener.bids).toHaveLength(0);
    disk.resolve();
    await world.clock.advanceBy(100);
    expect(listener.bids).toHaveLength(1);
  });

  it('has its channel dropped when it could not be written', async () => {
    const it = await scene(false);
    const lock = negotiationOf(it).requestLock(sample.jobRequest(), 1000);
    it.disk.reject(new Error('the disk is full'));
    expect(
      await it.world.settled(
        lock.then(
          () => 'locked',
          () => 'dropped',
        ),
      ),
    ).toBe('dropped');
    expect(it.provider.calls.filter((call) => call.startsWith('ended'))).toHaveLength(1);
  });
});
