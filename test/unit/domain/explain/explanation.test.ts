import { describe, expect, it } from 'vitest';
import { explain as explained, type TableHints } from '../../../../src/domain/explain/explanation.ts';
import { winningReason } from '../../../../src/domain/explain/winner.ts';
import type { MissedField } from '../../../../src/domain/explain/nearest-miss.ts';
import type { EligibleComputeProviderData, Rank, Search } from '../../../../src/domain/market/search.ts';
import { suggestionSentence } from '../../../../src/words/suggestion-words.ts';
import { winnerText } from '../../../../src/words/winner-words.ts';
import { declineOf, entryOf, executionOf, LOCK, observedAs, PRICE, roundOf } from '../../fakes/market.ts';

const NOBODY_KNOWN: TableHints = { known: 0, fitting: 0, busy: 0 };
const VRAM: MissedField = {
  field: 'gpu.vram',
  required: '24 GiB',
  count: 5,
  alone: 3,
  best: '16 GiB',
  bestCount: 3,
};

function rank(name: string, value: number, weight = 1): Rank {
  return { name, value, weight, why: { code: 'unknown', data: { text: `${name} is ${value}` } } };
}

/** As people read it. */
function explain(...known: Parameters<typeof explained>) {
  const { winner, suggestions, ...rest } = explained(...known);
  return {
    ...rest,
    ...(winner === undefined ? {} : { winner: { ...winner, reason: winnerText(winner) } }),
    suggestions: suggestions.map(suggestionSentence),
  };
}

function ranked(
  provider: string,
  score: number,
  ranks: readonly Rank[] = [],
  changes: Parameters<typeof entryOf>[1] = {},
): EligibleComputeProviderData {
  return { ...entryOf(provider, changes), score, ranks };
}

function declined(...declines: readonly ReturnType<typeof declineOf>[]): Search {
  return roundOf([], {
    seenAtLeast: declines.length,
    index: {
      entries: [],
      declines: declines.map(({ signer, value }) => ({ provider: signer, decline: value })),
      refused: [],
    },
  });
}

const vramDecline = (provider: string, available = '16 GiB'): ReturnType<typeof declineOf> =>
  declineOf(provider, { code: 'CONSTRAINT_UNMET', field: 'gpu.vram', required: '24 GiB', available });

describe('the explanation of a placed job', () => {
  const bids = [ranked('a', 900, [], { lock: LOCK }), ranked('b', 800)];

  it('names the winner, every bid with its ranks, and asks for nothing less', () => {
    const executions = [executionOf(0, 1, 'a', observedAs.running())];
    const explanation = explain([roundOf(bids)], executions, { ...NOBODY_KNOWN, busy: 3, nearest: VRAM });
    expect(explanation).toEqual({
      placed: true,
      winner: {
        provider: 'a',
        executionId: executions[0]?.id,
        score: 900,
        why: expect.any(Object),
        reason: expect.any(String),
      },
      candidates: [
        { provider: 'a', score: 900, ranks: [], price: PRICE, locked: true },
        { provider: 'b', score: 800, ranks: [], price: PRICE, locked: false },
      ],
      seenAtLeast: 2,
      declines: [],
      suggestions: [],
    });
    const asked = [executionOf(0, 1, 'b', observedAs.running())];
    expect(explain([roundOf(bids)], asked, NOBODY_KNOWN).candidates).toMatchObject([
      { provider: 'a', locked: true },
      { provider: 'b', locked: true },
    ]);
  });

  it('speaks of the newest contract, also when it is over', () => {
    const executions = [
      executionOf(0, 1, 'a', observedAs.failed('lost', 'first')),
      executionOf(0, 2, 'b', observedAs.completed('second')),
      executionOf(0, 3, 'c', observedAs.declined()),
    ];
    const { winner } = explain([roundOf(bids)], executions, undefined);
    expect(winner).toMatchObject({ provider: 'b', score: 800 });
    expect(winner?.reason).toBe('1 better ranked did not take the job; of the rest it was the best.');
  });

  it('is placed no more when the only contract was lost, and says who had it and what would help now', () => {
    const executions = [executionOf(0, 1, 'a', observedAs.failed('lost', 'first'))];
    const again = { ...declined(vramDecline('b')), requestId: 'two', round: 2 };
    expect(explain([roundOf(bids), again], executions, undefined)).toMatchObject({
      placed: false,
      winner: {
        provider: 'a',
        reason: expect.stringMatching(/\. Its contract is over \(lost\): lost\.$/),
      },
      nearest: { field: 'gpu.vram' },
      suggestions: [expect.stringContaining('gpu.vram')],
    });
  });

  it('is placed by the contract that stands, whatever became of newer ones', () => {
    const executions = [
      executionOf(0, 1, 'b', observedAs.running('stands')),
      executionOf(1, 1, 'a', observedAs.failed('lost', 'lost')),
    ];
    const { placed, winner } = explain([roundOf(bids)], executions, undefined);
    expect(placed).toBe(true);
    expect(winner).toMatchObject({ provider: 'b' });
    expect(winner?.reason).not.toContain('is over');
  });

  it.each(['exit-code', 'cancelled'] as const)('has no advice for work that ended: %s', (reason) => {
    const observed =
      reason === 'cancelled' ? observedAs.cancelled('contract') : observedAs.failed(reason, 'contract');
    const explanation = explain([roundOf(bids)], [executionOf(0, 1, 'a', observed)], {
      ...NOBODY_KNOWN,
      nearest: VRAM,
    });
    expect(explanation).toMatchObject({ placed: false, winner: { provider: 'a' }, suggestions: [] });
    expect(explanation).not.toHaveProperty('nearest');
  });

  it('looks for the winner in the round that it bid in', () => {
    const older = roundOf([ranked('a', 700)], { requestId: 'older' });
    const newer = roundOf([ranked('b', 300)], { requestId: 'newer', round: 2 });
    const placed = executionOf(0, 1, 'a', observedAs.running(), { requestId: 'older' });
    const { winner, candidates } = explain([older, newer], [placed], undefined);
    expect(winner).toMatchObject({ provider: 'a', score: 700 });
    expect(candidates.map(({ provider }) => provider)).toEqual(['b']);
  });

  it('is not placed by an execution without a contract', () => {
    const executions = [
      executionOf(0, 1, 'a', observedAs.asking()),
      executionOf(0, 2, 'b', observedAs.new()),
    ];
    expect(explain([roundOf(bids)], executions, undefined)).toMatchObject({ placed: false });
  });
});

describe('why a winner won', () => {
  const other = ranked('b', 500, [rank('price', 200, 4), rank('load', 900, 1)]);

  it.each([
    ['it holds a contract and its bid is not known any more', undefined, undefined, 0, /holds the contract/],
    ['it was alone', ranked('a', 900), undefined, 0, /the only bid/],
    ['those before it fell away', ranked('a', 400), other, 2, /^2 better ranked did not take the job/],
    [
      'one rank made most of the difference',
      ranked('a', 700, [rank('price', 800, 4), rank('load', 1000, 1)]),
      other,
      0,
      /^Its score of 700 beats 500 .* most of all by price: price is 800\.$/,
    ],
    [
      'a small gain with a great weight outdoes a great one with a small weight',
      ranked('a', 600, [rank('price', 300, 40), rank('load', 1000, 1)]),
      ranked('b', 500, [rank('price', 200, 40), rank('load', 0, 1)]),
      0,
      /most of all by price/,
    ],
    [
      'the job asked for it by name',
      ranked('a', 100, [rank('preferred', 1000, 0)]),
      ranked('b', 900, [rank('preferred', 0, 0)]),
      0,
      /^The job prefers it/,
    ],
    [
      'a better one was this node itself',
      ranked('a', 100, [rank('own-node', 1000, 0)]),
      ranked('self', 900, [rank('own-node', 0, 0), rank('price', 1000)]),
      0,
      /this node itself comes after all others/,
    ],
    ['nothing but the tie rule spoke for it', ranked('a', 500), ranked('b', 500), 0, /equals .* tie/],
  ])('%s', (_, entry, runnerUp, better, reason) => {
    expect(winnerText({ why: winningReason(entry, runnerUp, better) })).toMatch(reason);
  });
});

describe('the explanation of a job that found nobody', () => {
  it('counts declines by code and field, and bids that were not taken, most frequent first', () => {
    const round = declined(
      declineOf('a', { code: 'BUSY' }),
      vramDecline('b'),
      vramDecline('c'),
      declineOf('d', { code: 'CONSTRAINT_UNMET', field: 'label.zone' }),
    );
    const refused = [
      { provider: 'e', code: 'OVER_BUDGET' },
      { provider: 'f', code: 'OVER_BUDGET' },
      { provider: 'g', code: 'OVER_BUDGET' },
    ] as const;
    const search = { ...round, seenAtLeast: 7, index: { ...round.index, refused } };
    expect(explain([search], [], undefined)).toMatchObject({
      placed: false,
      candidates: [],
      seenAtLeast: 7,
      declines: [
        { code: 'OVER_BUDGET', count: 3 },
        { code: 'CONSTRAINT_UNMET', field: 'gpu.vram', count: 2 },
        { code: 'BUSY', count: 1 },
        { code: 'CONSTRAINT_UNMET', field: 'label.zone', count: 1 },
      ],
    });
  });

  it('counts the newest word of each provider, and says how many the widest round reached', () => {
    const wide = { ...declined(vramDecline('a'), vramDecline('b'), vramDecline('c')), seenAtLeast: 9 };
    const narrow = { ...declined(declineOf('a', { code: 'DRAINING' })), round: 2, requestId: 'two' };
    const bids = roundOf([entryOf('b')], { round: 3, requestId: 'three' });
    const { seenAtLeast, declines, nearest } = explain([wide, narrow, bids], [], undefined);
    expect(seenAtLeast).toBe(9);
    expect(declines).toEqual([
      { code: 'CONSTRAINT_UNMET', field: 'gpu.vram', count: 1 },
      { code: 'DRAINING', count: 1 },
    ]);
    expect(nearest).toMatchObject({ field: 'gpu.vram', providers: 1 });
  });

  it('takes the nearest miss from the peer table, which compares every field', () => {
    const table = { known: 5, fitting: 0, busy: 0, nearest: VRAM };
    const explanation = explain([declined(vramDecline('a', '8 GiB'))], [], table);
    expect(explanation.nearest).toEqual({
      field: 'gpu.vram',
      required: '24 GiB',
      available: '16 GiB',
      providers: 3,
    });
    expect(explanation.suggestions).toEqual(['gpu.vram: 24 GiB asked, best seen 16 GiB on 3 providers.']);
  });

  it('takes it from the declines where the table knows of none', () => {
    const round = declined(
      declineOf('a', { code: 'CONSTRAINT_UNMET', field: 'label.zone', required: 'In b', available: 'a' }),
      vramDecline('b'),
      vramDecline('c'),
      declineOf('d', { code: 'BUSY' }),
    );
    expect(explain([round], [], { ...NOBODY_KNOWN, known: 4 }).nearest).toEqual({
      field: 'gpu.vram',
      required: '24 GiB',
      available: '16 GiB',
      providers: 2,
    });
  });

  it.each([
    ['cpu', '16', ['4', '4', '8'], { available: '8', providers: 1 }],
    ['memory', '64GiB', ['8GiB', '900MiB', '8GiB', '8GiB', '16GiB'], { available: '16GiB', providers: 1 }],
    ['gpu.driver', '>=550', ['470.82', '535.183.01', '470.82'], { available: '535.183.01', providers: 1 }],
    ['location.country', 'In FR', ['DE', 'US', 'DE'], { available: 'DE', providers: 2 }],
  ])('takes the best value of %s that was declined', (field, required, values, best) => {
    const round = declined(
      ...values.map((available, at) => declineOf(`p${at}`, { field, required, available })),
    );
    expect(explain([round], [], undefined).nearest).toEqual({ field, required, ...best });
  });

  it.each([
    [declineOf('a', { code: 'PRICE' }), /^budget\.maxPrice/],
    [declineOf('a', { code: 'BUSY' }), /^1 provider has no room just now.*queue/],
    [declineOf('a', { code: 'RATE_LIMITED' }), /^Try again later/],
    [vramDecline('a'), /on 1 provider\.$/],
  ])('suggests the one thing that would help', (decline, suggestion) => {
    const { suggestions } = explain([declined(decline)], [], { ...NOBODY_KNOWN, known: 1 });
    expect(suggestions).toEqual([expect.stringMatching(suggestion)]);
  });

  it.each([
    [
      'budget.maxPrice',
      '0.02 USD per hour',
      '0.05 USD per hour',
      'budget.maxPrice: at least 0.05 USD per hour, or leave the budget out; 0.02 USD per hour asked.',
    ],
    ['budget.currency', 'EUR', 'USD', 'budget.currency: EUR asked, providers ask USD.'],
  ])('names what would do for %s, by declines and by the table', (field, required, available, sentence) => {
    const round = declined(declineOf('a', { code: 'PRICE', field, required, available, retryable: false }));
    expect(explain([round], [], undefined).suggestions).toEqual([sentence]);
    const nearest = { field, required, count: 1, alone: 1, best: available, bestCount: 1 };
    const { suggestions } = explain([declined()], [], { known: 1, fitting: 0, busy: 0, nearest });
    expect(suggestions).toEqual([sentence]);
  });

  it('names the price that would do beside another thing that came nearer', () => {
    const price = {
      code: 'PRICE',
      field: 'budget.maxPrice',
      required: '0.02 USD per hour',
      available: '0.05 USD per hour',
    } as const;
    const round = declined(vramDecline('a'), vramDecline('b'), declineOf('c', price));
    expect(explain([round], [], undefined).suggestions).toEqual([
      expect.stringMatching(/^gpu\.vram/),
      expect.stringMatching(/^budget\.maxPrice: at least 0\.05 USD per hour/),
    ]);
  });

  describe('where some providers have nothing of what is asked', () => {
    const none = { field: 'gpu.count', required: '1', available: '0', retryable: false } as const;
    const gpuCount = { field: 'gpu.count', required: '1', count: 3, alone: 3, best: '0', bestCount: 3 };

    it('takes the nearest miss from one that has some', () => {
      const round = declined(declineOf('a', none), declineOf('b', none), vramDecline('c'));
      expect(explain([round], [], { ...NOBODY_KNOWN, known: 3, nearest: gpuCount }).nearest).toEqual({
        field: 'gpu.vram',
        required: '24 GiB',
        available: '16 GiB',
        providers: 1,
      });
    });

    it('says so where that one thing alone would not do', () => {
      const round = declined(declineOf('a', none), vramDecline('c'));
      const misses = [gpuCount, { ...VRAM, count: 1, alone: 0, bestCount: 1 }];
      const table = { ...NOBODY_KNOWN, known: 3, nearest: gpuCount, misses };
      expect(explain([round], [], table).suggestions).toEqual([
        'gpu.vram: 24 GiB asked, best seen 16 GiB on 1 provider. Not the only thing in the way there.',
      ]);
    });

    it('names the other thing where it is in the way everywhere there', () => {
      const vram = { ...VRAM, alone: 0, beside: ['gpu.vendor', 'cpu'] };
      const vendor = { ...VRAM, field: 'gpu.vendor', required: 'amd', alone: 0, best: 'nvidia' };
      const table = { ...NOBODY_KNOWN, known: 2, misses: [vram, vendor] };
      expect(explain([declined(vramDecline('c'))], [], table).suggestions).toEqual([
        'gpu.vram: 24 GiB asked, best seen 16 GiB on 3 providers. In the way there as well: gpu.vendor (amd asked, best seen nvidia), cpu.',
      ]);
    });

    it('takes the best of all that the table knows, and takes it also where nobody was asked', () => {
      const vram = { ...VRAM, alone: 0, best: '20 GiB', bestCount: 1, beside: ['cpu'] };
      const table = { ...NOBODY_KNOWN, known: 2, misses: [vram] };
      const best = { field: 'gpu.vram', available: '20 GiB', providers: 1 };
      expect(explain([declined(vramDecline('c'))], [], table).nearest).toMatchObject(best);
      expect(explain([declined()], [], table).nearest).toMatchObject(best);
      expect(explain([declined()], [], { ...table, fitting: 1 })).not.toHaveProperty('nearest');
      expect(explain([declined()], [], { ...table, busy: 1 })).not.toHaveProperty('nearest');
    });

    it('says so when none of them has any, and does not ask for less than one', () => {
      const { nearest, suggestions } = explain([declined(declineOf('a', none))], [], {
        ...NOBODY_KNOWN,
        known: 3,
        nearest: gpuCount,
      });
      expect(nearest).toMatchObject({ field: 'gpu.count', available: '0', providers: 3 });
      expect(suggestions).toEqual(['gpu.count: 1 asked, and no provider that was seen has any.']);
    });

    it('only suggests to wait when all of it is taken for now', () => {
      const table = { known: 1, fitting: 0, busy: 1, nearest: gpuCount };
      const { nearest, suggestions } = explain([declined()], [], table);
      expect(nearest).toBeUndefined();
      expect(suggestions).toEqual(['1 provider fits when less runs there: give timeouts.queue some time.']);
      const full = declined(declineOf('a', { ...none, retryable: true }));
      expect(explain([full], [], undefined)).not.toHaveProperty('nearest');
    });

    it('never asks a job to put up with a node that takes no work', () => {
      const draining = {
        field: 'node.draining',
        required: 'no',
        count: 1,
        alone: 1,
        best: 'yes',
        bestCount: 1,
      };
      const explanation = explain([declined()], [], { known: 1, fitting: 0, busy: 0, nearest: draining });
      expect(explanation).not.toHaveProperty('nearest');
      expect(explanation.suggestions).toEqual([]);
    });
  });

  it.each([
    [['x'], 'excludedProviders: 1 known provider that would fit is excluded by the job. Take x off.'],
    [
      ['x', 'y'],
      'excludedProviders: 2 known providers that would fit are excluded by the job. Take one of x, y off.',
    ],
  ])('names the excluded providers that would fit: %j', (excluded, sentence) => {
    const round = { ...declined(), seenAtLeast: 0 };
    expect(explain([round], [], { ...NOBODY_KNOWN, excluded }).suggestions).toEqual([sentence]);
  });

  it('says whom to ask for leave where a provider does not serve this node', () => {
    const policy = { code: 'POLICY', field: 'requester', retryable: false } as const;
    const round = declined(
      declineOf('a', policy),
      declineOf('b', policy),
      declineOf('c', { code: 'POLICY' }),
    );
    expect(explain([round], [], undefined, { self: 'me' }).suggestions).toEqual([
      'Ask the owners of a, b to let your node in: add your peer id me to provider.allow, or take it off provider.deny.',
    ]);
    const one = declined(declineOf('a', policy));
    expect(explain([one], [], undefined, { self: 'me' }).suggestions).toEqual([
      expect.stringMatching(/^Ask the owner of a to/),
    ]);
  });

  it.each([
    [['a'], 'a is drained: its owner can run "bidmesh node undrain", or give timeouts.queue some time.'],
    [
      ['a', 'b'],
      'a, b are drained: their owners can run "bidmesh node undrain", or give timeouts.queue some time.',
    ],
  ])('says who could end a drain: %j', (providers, sentence) => {
    const round = declined(...providers.map((provider) => declineOf(provider, { code: 'DRAINING' })));
    expect(explain([round], [], undefined).suggestions).toEqual([sentence]);
  });

  it('suggests to wait where providers only fit when they are less busy', () => {
    const { suggestions } = explain([declined()], [], { known: 3, fitting: 0, busy: 2 });
    expect(suggestions).toEqual([expect.stringMatching(/^2 providers fit when less runs there.*queue/)]);
  });

  it('suggests to wait where providers that fit have no room just now', () => {
    const full = { code: 'INSUFFICIENT_RESOURCES', field: 'cpu', retryable: true } as const;
    const never = declineOf('c', { ...full, retryable: false });
    expect(
      explain([declined(declineOf('a', full), declineOf('b', full), never)], [], undefined),
    ).toMatchObject({
      suggestions: ['2 providers have no room just now: with time in timeouts.queue the job waits for it.'],
    });
    expect(explain([declined(never)], [], undefined).suggestions).toEqual([]);
  });

  it.each([
    [
      { forMs: 600_000, onlyForRoom: true, isOver: false },
      'the job waits for that, for 10 min at most (timeouts.queue).',
    ],
    [{ forMs: 600_000, onlyForRoom: true, isOver: true }, 'give timeouts.queue more time than 10 min.'],
  ])('advises no timeouts.queue to a job that has it: %j', (queue, advice) => {
    const full = { code: 'INSUFFICIENT_RESOURCES', field: 'cpu', retryable: true } as const;
    const round = declined(declineOf('a', full));
    expect(explain([round], [], undefined, { queue }).suggestions).toEqual([
      `1 provider has no room just now: ${advice}`,
    ]);
    expect(explain([declined()], [], { known: 3, fitting: 0, busy: 2 }, { queue }).suggestions).toEqual([
      `2 providers fit when less runs there: ${advice}`,
    ]);
  });

  it("advises a drained provider's guest to wait only where it does not already", () => {
    const round = declined(declineOf('a', { code: 'DRAINING' }));
    const said = (onlyForRoom: boolean) =>
      explain([round], [], undefined, { queue: { forMs: 60_000, onlyForRoom, isOver: false } }).suggestions;
    expect(said(true)).toEqual([expect.stringContaining('or give timeouts.queue some time')]);
    expect(said(false)).toEqual([expect.stringContaining('the job waits by itself, for 1 min at most')]);
  });

  it('names the preferred providers that nothing was heard of, after a search for them', () => {
    const table = { ...NOBODY_KNOWN, known: 1 };
    const round = { ...declined(declineOf('a', { code: 'POLICY', retryable: false })), round: 1 };
    const { suggestions } = explain([round], [], table, { preferred: ['a', 'b', 'c', 'd', 'e'] });
    expect(suggestions).toEqual([
      expect.stringMatching(/^preferredProviders: no answer from b, c, d and 1 more\. Check the ids/),
    ]);
    expect(explain([round], [], table, { preferred: ['a'] }).suggestions).toEqual([]);
    expect(explain([], [], table, { preferred: ['b'] }).suggestions).toEqual([]);
  });

  describe('where known providers would fit', () => {
    const table = { ...NOBODY_KNOWN, known: 4, fitting: 3, fittingPeers: ['me', 'a', 'b', 'c'] };
    const round = declined(vramDecline('a'));
    const silent = (search: Search, asker = {}) =>
      explain([search], [], table, { self: 'me', ...asker }).suggestions.filter((text) =>
        text.includes('did not answer'),
      );

    it('names those that did not answer before what to ask less of', () => {
      expect(explain([round], [], table, { self: 'me' }).suggestions).toEqual([
        '2 known providers would fit but did not answer: b, c. Check that they run and can be reached.',
        expect.stringMatching(/^gpu\.vram/),
      ]);
      expect(silent(declined(vramDecline('a'), vramDecline('b')))).toEqual([
        '1 known provider would fit but did not answer: c. Check that it runs and can be reached.',
      ]);
    });

    it('says nothing of those that may not have been asked or had no time', () => {
      expect(silent({ ...round, partial: true })).toEqual([]);
      expect(silent({ ...round, state: 'open' })).toEqual([]);
      expect(silent({ ...round, closeReason: 'interrupted' })).toEqual([]);
      expect(silent(round, { mostAsked: 3 })).toEqual([]);
      expect(silent(round, { mostAsked: 4 })).toHaveLength(1);
      expect(silent(round, { preferred: ['b', 'c'] })).toEqual([]);
    });
  });

  it('suggests to meet somebody where nobody was reached and nobody is known', () => {
    const { suggestions } = explain([declined()], [], NOBODY_KNOWN);
    expect(suggestions).toEqual([expect.stringMatching(/^No provider was reached.*--bootstrap/)]);
    expect(explain([declined()], [], { ...NOBODY_KNOWN, known: 1 }).suggestions).toEqual([]);
  });

  it('has nothing to say before the first search', () => {
    expect(explain([], [], undefined)).toEqual({
      placed: false,
      candidates: [],
      seenAtLeast: 0,
      declines: [],
      suggestions: [],
    });
  });
});
