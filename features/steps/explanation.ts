import { Given, Then, When } from 'quickpickle';
import { expect } from 'vitest';
import type { Explanation } from '../../src/client/index.ts';
import { withPeerIds } from '../support/job-text.ts';
import type { MarketWorld } from '../support/market-world.ts';
import { until } from '../support/until.ts';

const KNOWN_WITHIN_MS = 10_000;

function listOf(text: string): readonly string[] {
  return text.split(',').map((name) => name.trim());
}

// ---- the peer table --------------------------------------------------------------------------------

Given('{string} knows the adverts of {string}', async (world: MarketWorld, name: string, names: string) => {
  const wanted = listOf(names).map((one) => world.peerId(one));
  await until(`${name} knows ${names}`, KNOWN_WITHIN_MS, async () => {
    const { items: peers } = await world.node(name).api.listPeers();
    const told = new Set(peers.filter(({ price }) => price !== undefined).map(({ peerId }) => peerId));
    return wanted.every((peer) => told.has(peer));
  });
});

Then('{string} were/was asked, and nobody else', (world: MarketWorld, names: string) => {
  const asked = world.nodeNames().filter((name) => world.asked(name).directly > 0);
  expect(asked.toSorted()).toEqual(listOf(names).toSorted());
  const byGossip = world.nodeNames().filter((name) => world.asked(name).byGossip > 0);
  expect(byGossip).toEqual([]);
});

// ---- explanations ----------------------------------------------------------------------------------

function tried(world: MarketWorld): Explanation {
  if (world.tried === undefined) throw new Error('the scenario has tried no job');
  return world.tried;
}

function namesIn(world: MarketWorld, { candidates }: Explanation): readonly string[] {
  return candidates.map(({ provider }) => world.nameOf(provider));
}

When('{string} tries a job:', async (world: MarketWorld, name: string, text: unknown) => {
  await world.try(name, String(text));
});

Then('it had a bid of {string}, and no bid with a lock', (world: MarketWorld, name: string) => {
  const explanation = tried(world);
  expect(namesIn(world, explanation)).toContain(name);
  expect(explanation.candidates.map(({ locked }) => locked)).not.toContain(true);
});

Then(
  'it would go to {string}, of {string}, because {string}',
  (world: MarketWorld, winner: string, names: string, reason: string) => {
    const explanation = tried(world);
    expect(explanation).toMatchObject({ placed: false, suggestions: [] });
    expect(world.nameOf(explanation.winner?.provider ?? '')).toBe(winner);
    expect(explanation.winner?.reason).toContain(reason);
    expect(namesIn(world, explanation)).toEqual(listOf(names));
    for (const { score, ranks } of explanation.candidates) {
      expect(score).toBeGreaterThan(0);
      expect(ranks.length).toBeGreaterThan(0);
    }
  },
);

Then('it would go to nobody: {string}', (world: MarketWorld, suggestion: string) => {
  const explanation = tried(world);
  expect(explanation).toMatchObject({ placed: false, candidates: [] });
  expect(explanation).not.toHaveProperty('winner');
  expect(explanation.suggestions).toContain(suggestion);
});

Then('the explanation suggests {string}', async (world: MarketWorld, suggestion: string) => {
  const { suggestions } = await world.job.explanation();
  const wanted = withPeerIds(suggestion, (name) => world.peerId(name));
  expect(suggestions).toContainEqual(expect.stringContaining(wanted));
});

Then(
  'the explanation says that {string} won, of {string}, because {string}',
  async (world: MarketWorld, winner: string, names: string, reason: string) => {
    const explanation = await world.job.explanation();
    const [execution] = (await world.job.view()).executions;
    expect(explanation).toMatchObject({
      placed: true,
      winner: { provider: world.peerId(winner), executionId: execution?.id },
      seenAtLeast: listOf(names).length,
      suggestions: [],
    });
    expect(explanation.winner?.reason).toContain(reason);
    expect(namesIn(world, explanation)).toEqual(listOf(names));
    expect(explanation).not.toHaveProperty('nearest');
  },
);

Then(
  /^the explanation counts (\d+) x (\w+) because of ([\w.]+)$/,
  async (world: MarketWorld, count: string, code: string, field: string) => {
    const explanation = await world.job.explanation();
    expect(explanation).toMatchObject({ placed: false, candidates: [], seenAtLeast: Number(count) });
    expect(explanation.declines).toEqual([{ code, field, count: Number(count) }]);
  },
);

Then(
  'the nearest miss is {string}: {string} asked, {string} on {int} provider(s)',
  async (world: MarketWorld, field: string, required: string, available: string, providers: number) => {
    const { nearest, suggestions } = await world.job.explanation();
    expect(nearest).toEqual({ field, required, available, providers });
    expect(suggestions[0]).toBe(
      `${field}: ${required} asked, best seen ${available} on ${providers} provider${providers === 1 ? '' : 's'}.`,
    );
  },
);
