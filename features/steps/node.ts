import { After, type DataTable, Given, setWorldConstructor, Then, When } from 'quickpickle';
import { expect } from 'vitest';
import { byteQuantity, cpuQuantity, durationQuantity } from '../../src/domain/units/quantities.ts';
import type { GpuDevice } from '../../src/domain/units/resources.ts';
import { ask } from '../support/http-answer.ts';
import { MarketWorld } from '../support/market-world.ts';
import { type NodeSpec, WANTED_BIDS } from '../support/test-node.ts';

setWorldConstructor(MarketWorld);

/**
 * One row of a table of nodes. Columns: node, provides (yes), price (0.02 an hour), rates (none, or
 * `cpuHour 0.20, gpuHour.T4 1.50`, in place of the price), cpu (4), memory (8GiB),
 * work (20ms), label (none, or key=value), locks (when asked, or with the bid), lock time (as in use), patience with requesters that are gone
 * before their work began (as in use), gpus (none, or
 * 2 x 16GiB), nvidia-smi prints (nothing, or a file of test/fixtures/gpu; then the machine is this one with those
 * devices), wants (so many bids that nobody is left out).
 */
function specOf(row: Readonly<Record<string, string>>): Omit<NodeSpec, 'realEngines'> {
  const {
    node = '',
    provides,
    price,
    rates,
    cpu,
    memory,
    work,
    label = '',
    locks,
    gpus,
    wants,
    patience,
  } = filled(row);
  const lockTime = filled(row)['lock time'];
  const [key, value] = label.split('=');
  const provider = {
    lockOnBid: locks === 'with the bid',
    ...(price === undefined ? {} : { price: { amount: price } }),
    ...(rates === undefined ? {} : { price: rateCardOf(rates) }),
    ...(key === undefined || value === undefined ? {} : { labels: { [key]: value } }),
  };
  return {
    name: node,
    provider: provides === 'no' ? undefined : provider,
    cpuMillis: cpuQuantity.parse(cpu ?? '4'),
    memoryBytes: byteQuantity.parse(memory ?? '8GiB'),
    gpus: gpus === undefined ? [] : devicesOf(gpus),
    nvidiaSmi: filled(row)['nvidia-smi prints'],
    wantedBids: wants === undefined ? WANTED_BIDS : Number(wants),
    lockTtlMs: lockTime === undefined ? undefined : durationQuantity.parse(lockTime),
    patienceMs: patience === undefined ? undefined : durationQuantity.parse(patience),
    workMs: durationQuantity.parse(work ?? '20ms'),
  };
}

/** Devices of other models than those that are named cost next to nothing. */
function rateCardOf(text: string): Readonly<Record<string, unknown>> {
  const card: Record<string, unknown> = {};
  for (const [name = '', rate] of text.split(', ').map((part) => part.split(' '))) {
    const [key = '', model] = name.split('.');
    card[key] = model === undefined ? rate : { default: '0.001', [model]: rate };
  }
  return card;
}

/** `2 x 16GiB` */
function devicesOf(text: string): readonly GpuDevice[] {
  const [count = '', vram = ''] = text.split(' x ');
  return Array.from({ length: Number(count) }, (_, index) => ({
    index,
    vendor: 'nvidia',
    model: 'NVIDIA T4',
    vramBytes: byteQuantity.parse(vram),
    uuid: `GPU-${index}`,
  }));
}

/** An empty cell says nothing. */
function filled(row: Readonly<Record<string, string>>): Partial<Record<string, string>> {
  return Object.fromEntries(Object.entries(row).filter(([, text]) => text !== ''));
}

Given('the nodes:', async (world: MarketWorld, table: DataTable) => {
  for (const row of table.hashes()) await world.start(specOf(row));
  await world.acquaint();
});

Given('the nodes, each told of the first alone:', async (world: MarketWorld, table: DataTable) => {
  const [first, ...others] = table.hashes().map(specOf);
  if (first === undefined) return;
  await world.start(first);
  for (const spec of others) {
    await world.start(spec, 'first');
    await world.haveMet(spec.name, first.name);
  }
});

Given(
  'a node {string} that posts jobs on the network {string}, told of {string}',
  async (world: MarketWorld, name: string, network: string, other: string) => {
    await world.startElsewhere(specOf({ node: name, provides: 'no' }), network);
    await world.haveMetElsewhere(name, other);
  },
);

Then(
  '{string} says that {string} is not of its network',
  async (world: MarketWorld, name: string, other: string) => {
    const { api } = world.node(name);
    const status = await api.getStatus();
    expect(status).toMatchObject({ peers: 1, foreignPeers: 1, otherNetworks: [world.network] });
    expect((await api.listPeers()).items).toMatchObject([
      { peerId: world.peerId(other), connected: true, foreign: true, network: world.network },
    ]);
  },
);

Then('{string} is soon connected with {string}', async (world: MarketWorld, name: string, other: string) => {
  await world.haveMet(name, other);
});

Given('a peer that hears every request and never answers', async (world: MarketWorld) => {
  await world.addSilentPeer();
  await world.acquaint();
});

When('the peer that never answers leaves', async (world: MarketWorld) => {
  await world.dropSilentPeers();
});

When('the provider {string} joins the network', async (world: MarketWorld, name: string) => {
  await world.start(specOf({ node: name }));
});

When(/^"(\w+)" is (drain|undrain)ed$/, async (world: MarketWorld, name: string, what: string) => {
  const { status } = await ask(world.url(name), 'POST', `/dms/${what}`);
  const resources = await world.node(name).api.getResources();
  expect({ status, draining: resources.draining }).toEqual({ status: 200, draining: what === 'drain' });
});

When('{string} is asked to drain', async (world: MarketWorld, name: string) => {
  world.answers.push(await ask(world.url(name), 'POST', '/dms/drain'));
});

Then('all of the capacity of {string} is free', async (world: MarketWorld, name: string) => {
  const { onboarded, free, locked, allocated, leases, offersNothing } = await world
    .node(name)
    .api.getResources();
  expect(offersNothing).toBeUndefined();
  expect(leases).toEqual([]);
  expect(free).toEqual(onboarded);
  expect([locked.cpuMillis, allocated.cpuMillis]).toEqual([0, 0]);
});

Then('{string} offers nothing: {string}', async (world: MarketWorld, name: string, because: string) => {
  const { machine, free, leases, offersNothing } = await world.node(name).api.getResources();
  expect(offersNothing).toContain(because);
  expect([machine.cpuMillis, free.cpuMillis, leases.length]).toEqual([0, 0, 0]);
});

Then(
  '{string} has {int} devices of driver {string} and compute capability {string}',
  async (world: MarketWorld, name: string, count: number, driver: string, computeCapability: string) => {
    const { onboarded } = await world.node(name).api.getResources();
    expect(onboarded.gpus).toHaveLength(count);
    for (const device of onboarded.gpus) expect(device).toMatchObject({ driver, computeCapability });
  },
);

/** Whatever a scenario was about, at its end nobody holds capacity any more. */
After(async (world: MarketWorld) => {
  if (world.info.errors.length === 0) await world.capacityIsBack();
});
