import { type DataTable, Then } from 'quickpickle';
import { expect } from 'vitest';
import { turnIn } from '../../src/domain/market/answer-share.ts';
import { bothCopies } from '../support/contract-copies.ts';
import type { Bid, JobEvent } from '../../src/client/index.ts';
import type { MarketWorld } from '../support/market-world.ts';
import { domainOf, isSignedBy, termsCid } from '../support/signature-check.ts';
import { until } from '../support/until.ts';

const SETTLED_WITHIN_MS = 5000;

function listOf(text: string): readonly string[] {
  return text.split(',').map((name) => name.trim());
}

async function rankedNames(world: MarketWorld): Promise<readonly string[]> {
  return (await world.bids()).map(({ provider }) => world.nameOf(provider));
}

async function bidOf(world: MarketWorld, name: string): Promise<Bid> {
  const bid = (await world.bids()).find(({ provider }) => world.nameOf(provider) === name);
  if (bid === undefined) throw new Error(`${name} made no bid`);
  return bid;
}

async function eventsOf(world: MarketWorld, type: string, name: string): Promise<readonly JobEvent[]> {
  const events = await world.job.events();
  return events.filter((event) => event.type === type && world.nameOf(event.provider ?? '') === name);
}

// ---- searches and bids -----------------------------------------------------------------------------

Then('these providers made a bid: {string}', async (world: MarketWorld, names: string) => {
  expect((await rankedNames(world)).toSorted()).toEqual(listOf(names).toSorted());
});

Then('the bids are ranked: {string}', async (world: MarketWorld, names: string) => {
  expect(await rankedNames(world)).toEqual(listOf(names));
});

Then(
  /^"(\w+)" declined with (\w+): "(.*)"$/,
  async (world: MarketWorld, name: string, code: string, message: string) => {
    expect(await eventsOf(world, 'bid.refused', name)).toMatchObject([{ code, message }]);
  },
);

Then('{int} search(es) was/were made', async (world: MarketWorld, count: number) => {
  const events = await world.job.events();
  expect(events.filter(({ type }) => type === 'search.opened')).toHaveLength(count);
});

Then(
  '{string} of {string} is {int}: {string}',
  async (world: MarketWorld, rank: string, name: string, value: number, reason: string) => {
    const { ranks } = await bidOf(world, name);
    expect(ranks.find((one) => one.name === rank)).toMatchObject({ value, reason });
  },
);

Then(
  'every bid has the ranks {string} and perhaps more, and its score follows from all of them',
  async (world: MarketWorld, names: string) => {
    for (const { ranks, score } of await world.bids()) {
      expect(ranks.map(({ name }) => name)).toEqual(expect.arrayContaining([...listOf(names)]));
      expect(ranks.every(({ reason }) => reason !== '')).toBe(true);
      const weights = ranks.reduce((sum, { weight }) => sum + weight, 0);
      const weighted = ranks.reduce((sum, { value, weight }) => sum + value * weight, 0);
      expect(score).toBe(Math.floor(weighted / weights));
    }
  },
);

Then(
  'the bid of {string} was selected, and that of {string} was a candidate',
  async (world: MarketWorld, winner: string, other: string) => {
    expect(await bidOf(world, winner)).toMatchObject({ state: 'selected' });
    expect(await bidOf(world, other)).toMatchObject({ state: 'candidate' });
  },
);

Then('the bid of {string} timed out', async (world: MarketWorld, name: string) => {
  expect(await bidOf(world, name)).toMatchObject({ state: 'timed-out' });
});

Then('every bid came locked', async (world: MarketWorld) => {
  const bids = await world.bids();
  expect(bids.length).toBeGreaterThan(0);
  expect(bids.every(({ locked }) => locked)).toBe(true);
});

Then('the bids of every job stand in the order of its turns', async (world: MarketWorld) => {
  for (const job of world.jobs) {
    const ranking = (await job.bids()).map(({ provider }) => provider);
    const [search] = await world.node('alice').node.orchestrator.searches(job.id);
    const { requestId = '' } = search ?? {};
    expect(ranking.length).toBeGreaterThan(1);
    expect(ranking).toEqual(ranking.toSorted((a, b) => turnIn(requestId, a, b)));
  }
});

// ---- job requests ----------------------------------------------------------------------------------

Then('these events came in this order:', async (world: MarketWorld, table: DataTable) => {
  const events = await world.job.events();
  const wanted = table.hashes();
  let from = 0;
  for (const { event, provider } of wanted) {
    const at = events.findIndex(
      (one, index) =>
        index >= from &&
        one.type === event &&
        (provider === undefined || world.nameOf(one.provider ?? '') === provider),
    );
    expect(
      at,
      `${event ?? ''} ${provider ?? ''} after ${events[from - 1]?.type ?? 'the start'}`,
    ).toBeGreaterThanOrEqual(0);
    from = at + 1;
  }
});

Then('no {string} event came', async (world: MarketWorld, type: string) => {
  const events = await world.job.events();
  expect(events.map((event) => event.type)).not.toContain(type);
});

/** The one event in which a provider refused its lock. */
async function refusedLock(world: MarketWorld, name: string, code: string): Promise<JobEvent | undefined> {
  const events = await Promise.all(world.jobs.map((job) => job.events()));
  const refusals = events.flat().filter(({ type }) => type === 'lock.declined');
  expect(refusals).toMatchObject([{ provider: world.peerId(name), code }]);
  return refusals[0];
}

Then(
  /^one of the jobs was refused the lock of "(\w+)": (\w+)$/,
  async (world: MarketWorld, name: string, code: string) => {
    expect((await refusedLock(world, name, code))?.message).not.toBe('');
  },
);

Then(
  /^one of the jobs was refused the lock of "(\w+)" with (\w+), because of:$/,
  async (world: MarketWorld, name: string, code: string, table: DataTable) => {
    const [reason = {}] = table.hashes();
    const { message, data } = (await refusedLock(world, name, code)) ?? {};
    expect(data).toMatchObject(reason);
    expect(message).toContain(`${reason['field']}: ${reason['required']} asked, ${reason['available']} here`);
  },
);

Then(
  'one of the jobs completes on {string}, and the other fails after a no that names a time to try again',
  async (world: MarketWorld, provider: string) => {
    const ends = await Promise.all(world.jobs.map((job) => job.over()));
    expect(ends.toSorted()).toEqual(['Completed', 'Failed']);
    for (const [at, job] of world.jobs.entries()) {
      const events = await job.events();
      const refused = events.filter(({ type }) => type === 'lock.declined');
      const locked = events.filter(({ type }) => type === 'lock.acquired');
      if (ends[at] === 'Completed') {
        expect([locked.length, refused.length]).toEqual([1, 0]);
        expect(await world.winners(job)).toEqual([provider]);
      } else {
        expect(locked).toEqual([]);
        expect(refused).toMatchObject([
          { provider: world.peerId(provider), data: { retryable: true, retryAfterMs: expect.any(Number) } },
        ]);
        expect(refused[0]?.data?.['retryAfterMs']).toBeGreaterThan(0);
      }
    }
  },
);

// ---- contracts -------------------------------------------------------------------------------------

Then(
  'both sides of the contract keep the same terms and the same two signatures',
  async (world: MarketWorld) => {
    const { requester, provider } = await bothCopies(world);
    expect(provider.contractId).toBe(requester.contractId);
    expect(provider.terms.payload).toEqual(requester.terms.payload);
    expect(provider.terms.signature).toEqual(requester.terms.signature);
    expect(requester.providerSignature).toHaveLength(64);
    expect(provider.providerSignature).toEqual(requester.providerSignature);
  },
);

Then(
  'both signatures of the contract are valid, over its terms on this network',
  async (world: MarketWorld) => {
    const { requester } = await bothCopies(world);
    const { payload, signature, value } = requester.terms;
    const domain = domainOf(world.network, 'contract-terms');
    expect(value.requester).toBe(world.peerId('alice'));
    expect(isSignedBy(value.requester, domain, payload, signature)).toBe(true);
    expect(isSignedBy(value.provider, domain, payload, requester.providerSignature ?? new Uint8Array())).toBe(
      true,
    );
    const elsewhere = domainOf('another-network', 'contract-terms');
    expect(isSignedBy(value.requester, elsewhere, payload, signature)).toBe(false);
  },
);

Then('the contract is shown with its terms and both signatures', async (world: MarketWorld) => {
  const { requester } = await bothCopies(world);
  const { value, signature } = requester.terms;
  const [shown, ...others] = await world.job.contracts();
  expect(others).toEqual([]);
  expect(shown).toMatchObject({ id: requester.contractId, terms: { jobId: world.job.id } });
  expect(shown?.signatures).toEqual([
    { signer: value.requester, signature: Buffer.from(signature).toString('base64') },
    {
      signer: value.provider,
      signature: Buffer.from(requester.providerSignature ?? []).toString('base64'),
    },
  ]);
});

Then('the id of the contract is the content id of its terms', async (world: MarketWorld) => {
  const { requester } = await bothCopies(world);
  expect(requester.contractId).toBe(termsCid(requester.terms.payload));
  const [execution] = (await world.job.view()).executions;
  expect(execution?.contractId).toBe(requester.contractId);
});

Then(
  'the contract names the job, both sides, the price of {string} and the resources asked for',
  async (world: MarketWorld, name: string) => {
    const { requester } = await bothCopies(world);
    expect(requester.terms.value).toMatchObject({
      jobId: world.job.id,
      requester: world.peerId(world.job.owner),
      provider: world.peerId(name),
      price: (await bidOf(world, name)).price,
      resources: { cpuMillis: 500, memoryBytes: 256 * 2 ** 20, gpus: [] },
    });
  },
);

Then(
  /^the contract is over (.*) (\w+) an hour: "(.*)"$/,
  async (world: MarketWorld, amount: string, currency: string, lines: string) => {
    const { requester } = await bothCopies(world);
    const { price } = requester.terms.value;
    expect(price).toMatchObject({ amount, currency, per: 'hour' });
    expect(price.lines?.map((line) => `${line.item} ${line.amount}`).join(', ')).toBe(lines);
  },
);

Then('the contract becomes {word} on both sides', async (world: MarketWorld, state: string) => {
  await until(`the contract is ${state} on both sides`, SETTLED_WITHIN_MS, async () => {
    const { requester, provider } = await bothCopies(world);
    return requester.state === state && provider.state === state;
  });
});

Then('the contract with {string} was declined', async (world: MarketWorld, name: string) => {
  await expectDeclined(world, name);
});

Then(
  /^the contract with "(\w+)" was declined with (\w+): "(.*)"$/,
  async (world: MarketWorld, name: string, code: string, message: string) => {
    expect(await expectDeclined(world, name)).toMatchObject({ code, message });
  },
);

/** Declined on the requester's side, and not there on the provider's. */
async function expectDeclined(world: MarketWorld, name: string): Promise<JobEvent | undefined> {
  const [declined, ...others] = await eventsOf(world, 'contract.declined', name);
  expect(others).toEqual([]);
  const contractId = String(declined?.data?.['contractId']);
  const contracts = await world.job.contracts();
  expect(contracts.find(({ id }) => id === contractId)).toMatchObject({ state: 'DECLINED' });
  expect(await world.node(name).node.store.provider.contract(contractId)).toBeUndefined();
  return declined;
}
