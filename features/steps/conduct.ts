import { type DataTable, Given, Then } from 'quickpickle';
import { expect } from 'vitest';
import { alterBids, signAs } from '../support/altered-terms.ts';
import type { MarketWorld } from '../support/market-world.ts';

Given('{string} loses whatever it works on', (world: MarketWorld, name: string) => {
  world.node(name).work.exitReason = 'internal';
});

Given('{string} does its work again', (world: MarketWorld, name: string) => {
  world.node(name).work.exitReason = 'completed';
});

Given(
  'the bids of {string} say, signed by it, {word}: {string}',
  (world: MarketWorld, name: string, path: string, value: string) => {
    const { identity, underlay } = world.node(name);
    underlay.alterOutgoing(
      alterBids((bid) => changed(bid, path.split('.'), value), signAs(identity, world.network, 'bid')),
    );
  },
);

Then(
  '{string} of {string} says {string}',
  async (world: MarketWorld, rank: string, name: string, words: string) => {
    const bid = (await world.bids()).find(({ provider }) => world.nameOf(provider) === name);
    expect(bid?.ranks.find((one) => one.name === rank)?.reason).toContain(words);
  },
);

Then(
  'the explanation shows the strikes {string} of {string}',
  async (world: MarketWorld, strikes: string, name: string) => {
    const { candidates } = await world.job.explanation();
    const ranks = candidates.find(({ provider }) => world.nameOf(provider) === name)?.ranks ?? [];
    expect(ranks.find((rank) => rank.name === 'behaviour')?.reason).toBe(`strikes: ${strikes}`);
  },
);

Then('the explanation counts:', async (world: MarketWorld, table: DataTable) => {
  const { declines } = await world.job.explanation();
  const wanted = table.hashes().map(({ code = '', field = '', count = '' }) => ({
    code,
    ...(field === '' ? {} : { field }),
    count: Number(count),
  }));
  expect(declines).toEqual(wanted);
});

Then(
  /^the bid of "(\w+)" was refused with (\w+), and nothing more came of it$/,
  async (world: MarketWorld, name: string, code: string) => {
    const events = await world.job.events();
    const about = events.filter(({ provider }) => provider === world.peerId(name));
    expect(about.map((event) => [event.type, event.code])).toEqual([['bid.refused', code]]);
    const counters = world.node(world.job.owner).node.counters();
    expect(counters['negotiation.refused'] ?? 0).toBeGreaterThan(0);
    expect(counters[`negotiation.${code}`]).toBe(1);
  },
);

/** A copy with the value at `path` in place of the one there, as a number where that was one. */
function changed(
  bid: Readonly<Record<string, unknown>>,
  [key = '', ...rest]: readonly string[],
  value: string,
): Readonly<Record<string, unknown>> {
  const before = bid[key];
  if (rest.length === 0) return { ...bid, [key]: typeof before === 'number' ? Number(value) : value };
  if (typeof before !== 'object' || before === null) throw new Error(`a bid has no ${key}`);
  return { ...bid, [key]: changed({ ...before }, rest, value) };
}
