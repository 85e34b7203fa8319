import { Given, Then, When } from 'quickpickle';
import { expect } from 'vitest';
import { durationQuantity } from '../../src/domain/units/quantities.ts';
import type { MarketWorld } from '../support/market-world.ts';
import { alterTerms, signAs } from '../support/altered-terms.ts';
import { until } from '../support/until.ts';

const BID_WITHIN_MS = 10_000;
const MIB = 2 ** 20;

/** Waits until every one of the providers has a bid for every job of the scenario with its requester. */
async function haveBid(world: MarketWorld, names: string): Promise<void> {
  for (const job of world.jobs) {
    const events = await job.eventsUntil('the search is open', ({ type }) => type === 'search.opened');
    const requestId = String(events.at(-1)?.data?.['requestId']);
    for (const name of names.split(', ')) {
      const { store } = world.node(name).node;
      await until(`${name} has made a bid`, BID_WITHIN_MS, () => store.provider.answer(requestId));
    }
  }
  const wanted = world.jobs.length * names.split(', ').length;
  await until(`the bids of ${names} are taken`, BID_WITHIN_MS, () => {
    const owners = new Set(world.jobs.map(({ owner }) => owner));
    const taken = [...owners].map((owner) => world.node(owner).node.counters()['negotiation.kept'] ?? 0);
    return taken.reduce((sum, count) => sum + count, 0) >= wanted;
  });
}

When(/^"(.*)" (?:has|have) made a bid(?: for both jobs)?$/, async (world: MarketWorld, names: string) => {
  await haveBid(world, names);
});

When('{string} leaves the network', async (world: MarketWorld, name: string) => {
  await world.stop(name);
});

When('{string} falls silent', (world: MarketWorld, name: string) => {
  world.node(name).underlay.fallSilent();
});

When('{string} vanishes without a word', (world: MarketWorld, name: string) => {
  world.node(name).underlay.vanish();
});

Given('{string} vanishes as soon as its program is asked for', (world: MarketWorld, name: string) => {
  world.node(name).underlay.vanishAt('/content/');
});

Given(
  'a stranger sends {string} again and again what is no request',
  async (world: MarketWorld, name: string) => {
    world.stranger = await world.addClumsyPeer(name);
  },
);

Then(
  '{string} shows that it holds the stranger back for {string}',
  async (world: MarketWorld, name: string, code: string) => {
    await until(`${name} holds the stranger back`, BID_WITHIN_MS, async () => {
      const { heldBack = [] } = await world.api(name).getStatus();
      return heldBack.some((held) => held.peerId === world.stranger && held.code === code);
    });
  },
);

Then('all of the capacity of {string} is taken', async (world: MarketWorld, name: string) => {
  await until(`the capacity of ${name} is taken`, BID_WITHIN_MS, async () => {
    const { free, leases } = await world.node(name).api.getResources();
    return free.cpuMillis === 0 && leases.some(({ state }) => state === 'committed');
  });
});

Given('the adverts of {string} reach nobody any more', (world: MarketWorld, name: string) => {
  world.node(name).underlay.stopGossip();
});

Given(/^"(\w+)" needs (\w+) to start a program$/, (world: MarketWorld, name: string, time: string) => {
  world.node(name).work.startDelayMs = durationQuantity.parse(time);
});

Then('{string} holds a lock for the job', async (world: MarketWorld, name: string) => {
  const { leases } = await world.node(name).api.getResources();
  expect(leases).toMatchObject([{ jobId: world.job.id, state: 'held' }]);
});

Then(
  'all of the capacity of {string} is free again within {int} ms',
  async (world: MarketWorld, name: string, limitMs: number) => {
    await until(`the capacity of ${name} is free`, limitMs, async () => {
      const { onboarded, free, leases } = await world.node(name).api.getResources();
      return leases.length === 0 && free.cpuMillis === onboarded.cpuMillis;
    });
  },
);

Then(
  '{string} gives {int} devices to {int} executions, each to one alone',
  async (world: MarketWorld, name: string, devices: number, executions: number) => {
    const given = await until(`${name} has given its devices`, BID_WITHIN_MS, async () => {
      const { leases, allocated, free } = await world.node(name).api.getResources();
      const committed = leases.filter(({ state }) => state === 'committed');
      return committed.length === executions && { committed, allocated, free };
    });
    const indexes = given.committed.flatMap(({ resources }) => resources.gpus.map(({ index }) => index));
    expect(indexes.toSorted((a, b) => a - b)).toEqual(Array.from({ length: devices }, (_, index) => index));
    expect(given.allocated.gpus).toHaveLength(devices);
    expect(given.free.gpus).toEqual([]);
  },
);

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
    const { allocated, free, onboarded, leases } = await world.node(name).api.getResources();
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
