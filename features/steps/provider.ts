import { Given, Then, When } from 'quickpickle';
import { expect } from 'vitest';
import type { MarketWorld } from '../support/market-world.ts';
import { alterTerms, signAs } from '../support/altered-terms.ts';
import { until } from '../support/until.ts';

const BID_WITHIN_MS = 5000;
const MIB = 2 ** 20;

/** A bid is on its provider's disk before it leaves. */
async function hasBid(world: MarketWorld, name: string): Promise<void> {
  const events = await world.job.eventsUntil('the search is open', ({ type }) => type === 'search.opened');
  const requestId = String(events.at(-1)?.data?.['requestId']);
  const { store } = world.node(name).node;
  await until(`${name} has made its bid`, BID_WITHIN_MS, () => store.provider.answer(requestId));
  await until(`the bid of ${name} is on its way`, BID_WITHIN_MS, () => {
    const counters = world.node(name).node.counters();
    return (counters['offer.kept'] ?? 0) > 0;
  });
}

When('{string} has made its bid and leaves the network', async (world: MarketWorld, name: string) => {
  await hasBid(world, name);
  await world.stop(name);
});

When('{string} has made its bid and falls silent', async (world: MarketWorld, name: string) => {
  await hasBid(world, name);
  world.node(name).underlay.fallSilent();
});

Given('the terms that come to {string} are altered on their way', (world: MarketWorld, name: string) => {
  world.node(name).underlay.alterIncoming(alterTerms((terms) => ({ ...terms, maxOutputBytes: 1 })));
});

Given(
  'the terms that come to {string} name half of its price, signed by {string}',
  (world: MarketWorld, name: string, signer: string) => {
    const halved = alterTerms(
      (terms) => ({ ...terms, price: { amount: '0.005', currency: 'USD', per: 'hour' } }),
      signAs(world.node(signer).identity, world.network),
    );
    world.node(name).underlay.alterIncoming(halved);
  },
);

Then('{string} ran nothing', (world: MarketWorld, name: string) => {
  expect(world.node(name).runs.starts.size).toBe(0);
});

Then('{string} never ran two jobs at once', (world: MarketWorld, name: string) => {
  const { runs } = world.node(name);
  expect(runs.finishes.size).toBeGreaterThan(0);
  expect(runs.mostAtOnce).toBe(1);
});

Then(
  '{string} has allocated {int} thousandths of a core and {int} GiB to the job',
  async (world: MarketWorld, name: string, cpuMillis: number, memoryGib: number) => {
    const { allocated, free, onboarded, leases } = await world.node(name).api.resources();
    const taken = { cpuMillis, memoryBytes: memoryGib * 1024 * MIB };
    expect(allocated).toMatchObject(taken);
    expect(leases).toHaveLength(1);
    expect(leases[0]).toMatchObject({
      jobId: world.job.id,
      holder: world.peerId(world.job.owner),
      state: 'committed',
      resources: taken,
    });
    expect(free).toMatchObject({
      cpuMillis: onboarded.cpuMillis - taken.cpuMillis,
      memoryBytes: onboarded.memoryBytes - taken.memoryBytes,
    });
  },
);
