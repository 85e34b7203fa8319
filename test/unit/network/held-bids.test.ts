import { describe, expect, it } from 'vitest';
import * as sample from '../messages/samples.ts';
import { MarketWorld, RecordingListener, scriptedProvider } from './market-world.ts';

const HELD_MS = 200;

async function scene(): Promise<{
  readonly world: MarketWorld;
  readonly calls: readonly string[];
  readonly listener: RecordingListener;
  readonly close: () => void;
  readonly spared: () => number | undefined;
}> {
  const world = new MarketWorld();
  const notary = world.notary('provider');
  const provider = scriptedProvider(notary, {
    answer: async ({ value: { requestId, jobId } }) => ({
      kind: 'bid',
      bid: notary.sign('bid', sample.bid({ requestId, jobId })),
      durable: Promise.resolve(),
      delayMs: HELD_MS,
    }),
  });
  const requester = await world.node('requester');
  const node = await world.node('provider', { provider });
  const listener = new RecordingListener();
  const open = requester.network.market.openRequest(
    world.request(requester, { answerAlways: false }),
    listener,
  );
  return {
    world,
    calls: provider.calls,
    listener,
    close: () => open.close(),
    spared: () => node.network.counters()['offer.spared'],
  };
}

describe('a bid that is held back', () => {
  it('is delivered when its time has come', async () => {
    const { world, listener } = await scene();
    await world.clock.advanceBy(HELD_MS - 10);
    expect(listener.bids).toHaveLength(0);
    await world.clock.advanceBy(100);
    expect(listener.bids).toHaveLength(1);
  });

  it('is spared when the request closes, and its lock is freed', async () => {
    const { world, listener, calls, close, spared } = await scene();
    await world.clock.advanceBy(HELD_MS / 2);
    close();
    await world.clock.advanceBy(HELD_MS);
    expect(listener.bids).toHaveLength(0);
    expect(spared()).toBe(1);
    expect(calls.filter((call) => call.startsWith('ended'))).toHaveLength(1);
  });
});
