import { describe, expect, it } from 'vitest';
import { MOST_EXCLUDED } from '../../../../src/domain/market/bid.ts';
import type { Execution } from '../../../../src/domain/market/execution.ts';
import type { Search } from '../../../../src/domain/market/search.ts';
import {
  declineOf,
  endOf,
  entryOf,
  executionOf,
  jobOf,
  NOW,
  observedAs,
  roundOf,
  saidBy,
} from '../../fakes/market.ts';
import { e, kinds, plan, reasonOf, running } from './plan-words.ts';

describe('not enough nodes', () => {
  const empty = (changes: Parameters<typeof roundOf>[1] = {}) => roundOf([], changes);

  it('no queueing: the job fails at once, with the reasons counted', () => {
    const search = empty({
      index: {
        entries: [],
        declines: [
          { provider: 'a', decline: declineOf('a', { field: 'memory' }).value },
          { provider: 'b', decline: declineOf('b', { field: 'memory' }).value },
        ],
        refused: [{ provider: 'c', code: 'OVER_BUDGET' }],
      },
    });
    const actions = plan({ search });
    expect(kinds(actions)).toEqual(['job Failed']);
    expect(reasonOf(actions)).toBe(
      'No provider could take the job: 2 x INSUFFICIENT_RESOURCES (memory), 1 x OVER_BUDGET. With time in timeouts.queue the job waits for room.',
    );
  });

  it('tells of the queue only where waiting would help, and only once it is over', () => {
    const noFor = (changes: Parameters<typeof declineOf>[1]) => ({
      index: {
        entries: [],
        declines: [{ provider: 'a', decline: declineOf('a', changes).value }],
        refused: [],
      },
    });
    expect(reasonOf(plan({ search: empty(noFor({ retryable: false })) }))).not.toContain('queue');
    expect(reasonOf(plan({ search: empty(noFor({ code: 'PRICE' })) }))).not.toContain('queue');
    const job = jobOf({ spec: { timeouts: { ...jobOf().spec.timeouts, queueMs: 7000 } } });
    const search = empty(noFor({}));
    expect(reasonOf(plan({ job, search }))).not.toContain('queue');
    expect(reasonOf(plan({ job: { ...job, state: 'Queued' }, search }, NOW + 7000))).toContain(
      'With more time in timeouts.queue',
    );
  });

  it('names whom it asked when it asks nobody else', () => {
    const spec = { orchestrationType: 'push', preferredProviders: ['x', 'y'] } as const;
    const search = empty({ seenAtLeast: 0 });
    expect(reasonOf(plan({ job: jobOf({ spec }), search }))).toBe(
      'No provider gave an answer: the job asks only x, y. Check the ids, and that those nodes run and offer something.',
    );
    const pull = jobOf({ spec: { ...spec, orchestrationType: 'pull' } });
    expect(reasonOf(plan({ job: pull, search }))).toContain('Start one with');
  });

  it.each([
    [
      { known: 2, fitting: 0, misses: ['budget.maxPrice', 'gpu.vendor'] },
      {},
      'None of the 2 known providers fits: budget.maxPrice, gpu.vendor.',
    ],
    [{ known: 1, fitting: 0, misses: ['cpu'] }, {}, 'The only known provider does not fit: cpu.'],
    [
      { known: 3, fitting: 1, misses: ['cpu'] },
      {},
      'No provider could be reached: 1 of the 3 known ones would fit.',
    ],
    [
      { known: 0, fitting: 0, misses: [] },
      { excludedProviders: ['x', 'y'] },
      'No provider could be asked. 2 providers are left out by excludedProviders.',
    ],
  ])('says why those it knows of were not asked: %j', (unheard, spec, reason) => {
    const job = jobOf({ spec: { orchestrationType: 'push', ...spec } });
    expect(reasonOf(plan({ job, search: empty({ seenAtLeast: 0, unheard }) }))).toBe(reason);
  });

  it('names the networks of nodes that could not be asked', () => {
    const elsewhere = { seenAtLeast: 0, otherNetworks: ['a', 'b'] };
    expect(reasonOf(plan({ search: empty(elsewhere) }))).toMatch(
      /^No provider could be reached\..* Connected nodes of network "a", "b" were not asked: this node is of another one; join theirs with "bidmesh start --network"\.$/,
    );
  });

  it('says so when nobody was reached, and when nobody answered', () => {
    expect(reasonOf(plan({ search: empty({ seenAtLeast: 0 }) }))).toContain('No provider could be reached');
    expect(reasonOf(plan({ search: empty({ seenAtLeast: 2 }) }))).toBe('No provider made a bid in time.');
  });

  it('says how many the job leaves out, where nobody made a bid', () => {
    const leaving = (...excludedProviders: readonly string[]) =>
      reasonOf(plan({ job: jobOf({ spec: { excludedProviders } }), search: empty({ seenAtLeast: 2 }) }));
    expect(leaving('x')).toBe('No provider made a bid in time. 1 provider is left out by excludedProviders.');
    expect(leaving('x', 'y')).toBe(
      'No provider made a bid in time. 2 providers are left out by excludedProviders.',
    );
  });

  it('names the provider that lost the work before, and how long it had it', () => {
    const lost = executionOf(0, 1, 'a', {
      state: 'Failed',
      contractId: 'contract',
      startedAt: NOW - 12_000,
      end: endOf('lost'),
    });
    const job = jobOf({ state: 'Running', spec: { excludedProviders: ['x'] } });
    const search = empty({ requestId: 'round-2', round: 2, seenAtLeast: 2 });
    expect(reasonOf(plan({ job, executions: [lost], search }))).toBe(
      'Lost by a after 12 s; then no other provider made a bid in time. 1 provider is left out by excludedProviders.',
    );
    const declined = {
      ...search,
      index: {
        ...search.index,
        declines: [{ provider: 'b', decline: declineOf('b', { retryable: false }).value }],
      },
    };
    expect(reasonOf(plan({ job, executions: [lost], search: declined }))).toBe(
      'Lost by a after 12 s; then no other provider could take the job: 1 x INSUFFICIENT_RESOURCES.',
    );
  });

  it('says nothing of a loss that another provider has made good', () => {
    const executions = [
      executionOf(0, 1, 'a', observedAs.failed('lost', 'first')),
      executionOf(0, 2, 'b', observedAs.completed('second')),
      executionOf(1, 1, 'c', observedAs.rejected()),
    ];
    const job = jobOf({ state: 'Running', spec: { count: 2 } });
    const search = empty({ requestId: 'round-2', round: 2, seenAtLeast: 2 });
    expect(reasonOf(plan({ job, executions, search }))).toBe('No provider made a bid in time.');
  });

  it('asked only some: the next round follows at once, until the rounds are used up', () => {
    const partial = empty({ partial: true });
    expect(kinds(plan({ search: partial }))).toEqual(['search 2 for 1']);
    expect(kinds(plan({ search: { ...partial, fruitlessRounds: 5 } }))).toEqual(['job Failed']);
  });

  it('queue: the job waits for the next search', () => {
    const job = jobOf({ spec: { timeouts: { ...jobOf().spec.timeouts, queueMs: 60_000 } } });
    expect(kinds(plan({ job, search: empty() }))).toEqual(['job Queued', 'again job-queue +5000']);
    expect(kinds(plan({ job: { ...job, state: 'Queued' }, search: empty() }, NOW + 5000))).toEqual([
      'search 2 for 1',
    ]);
  });

  it('queue: its end comes on time, also between two searches', () => {
    const job = jobOf({ state: 'Queued', spec: { timeouts: { ...jobOf().spec.timeouts, queueMs: 7000 } } });
    const search = empty({ round: 2, closedAt: NOW + 5000, fruitlessRounds: 2 });
    expect(kinds(plan({ job, search }, NOW + 5000))).toEqual(['again job-queue +7000']);
    expect(kinds(plan({ job, search }, NOW + 7000))).toEqual(['job Failed']);
  });

  it('queue with running: the job stays Running while others wait', () => {
    const job = jobOf({
      state: 'Running',
      spec: { count: 2, timeouts: { ...jobOf().spec.timeouts, queueMs: 60_000 } },
    });
    const executions = [{ ...running(), requestId: 'round-0' }];
    expect(kinds(plan({ job, executions, search: empty() }))).toEqual(['again job-queue +5000']);
  });

  it('failed: no more nodes; what runs is cancelled with the job', () => {
    const job = jobOf({ state: 'Running', spec: { count: 2 } });
    const executions = [{ ...running(), requestId: 'round-0' }];
    expect(kinds(plan({ job, executions, search: empty() }))).toEqual([`Cancelled ${e(0, 1)}`, 'job Failed']);
  });

  it('frees bidders that are of no more use before it waits', () => {
    const job = jobOf({ spec: { timeouts: { ...jobOf().spec.timeouts, queueMs: 60_000 } } });
    const executions = [executionOf(0, 1, 'a', observedAs.declined())];
    const search = roundOf([entryOf('a')], { fruitlessRounds: 5 });
    const actions = plan({ job, executions, search, openNegotiations: new Set(['a']) });
    expect(kinds(actions)).toEqual(['job Queued', 'again job-queue +5000', 'close search']);
  });

  it('a round whose bids came to nothing is repeated at once, but not for ever', () => {
    const executions = [executionOf(0, 1, 'a', observedAs.rejected(), { contractId: 'declined' })];
    const search = roundOf([entryOf('a')]);
    expect(plan({ executions, search })).toMatchObject([
      { kind: 'StartSearch', round: 2, fruitlessRounds: 2, fruitlessSince: NOW },
    ]);
    const last = roundOf([entryOf('a')], { round: 5, fruitlessRounds: 5 });
    expect(kinds(plan({ executions, search: last }))).toEqual(['job Failed']);
  });

  it('a round that led to a contract starts the count anew', () => {
    const executions = [executionOf(0, 1, 'a', observedAs.failed('lost', 'contract'))];
    const search = roundOf([entryOf('a')], { round: 4, fruitlessRounds: 4 });
    expect(plan({ job: jobOf({ state: 'Running' }), executions, search }, NOW + 10)).toMatchObject([
      { kind: 'StartSearch', round: 5, fruitlessRounds: 1, fruitlessSince: NOW + 10 },
    ]);
  });

  describe('who said no for good', () => {
    const noes = (...declines: readonly ReturnType<typeof declineOf>[]): Search['index'] => ({
      entries: [],
      declines: declines.map(({ signer, value }) => ({ provider: signer, decline: value })),
      refused: [],
    });
    const NO_ENGINE = {
      code: 'said-no',
      data: { decline: 'ENGINE_UNAVAILABLE', field: 'engine.wasm' },
    } as const;
    const final = { code: 'ENGINE_UNAVAILABLE', field: 'engine.wasm', retryable: false } as const;
    const denied = (provider: string, attempt: number, forGood: boolean): Execution =>
      executionOf(0, attempt, provider, {
        state: 'AskForBidRejected',
        end: endOf('denied', { why: saidBy('POLICY: no'), ...(forGood ? { forGood } : {}) }),
      });

    it('is left out of the next round, after those the user does not want', () => {
      const job = jobOf({ spec: { excludedProviders: ['x'] } });
      const index = noes(declineOf('a', final), declineOf('b'), declineOf('x', final));
      const executions = [denied('c', 1, true), denied('d', 2, false)];
      const [start] = plan({ job, executions, search: empty({ partial: true, index }) });
      expect(start).toMatchObject({
        kind: 'StartSearch',
        exclude: ['x', 'c', 'a'],
        ruledOut: [
          { provider: 'c', why: saidBy('POLICY: no') },
          { provider: 'a', why: NO_ENGINE },
        ],
      });
    });

    it('stays out in the rounds after that, and is still counted', () => {
      const search = empty({
        round: 2,
        exclude: ['a'],
        ruledOut: [{ provider: 'a', why: NO_ENGINE }],
        index: noes(declineOf('b', { code: 'BUSY' })),
      });
      const [start] = plan({ search: { ...search, partial: true } });
      expect(start).toMatchObject({ round: 3, exclude: ['a'] });
      expect(reasonOf(plan({ search }))).toBe(
        'No provider could take the job: 1 x BUSY, 1 x ENGINE_UNAVAILABLE (engine.wasm). With time in timeouts.queue the job waits for room.',
      );
    });

    it('is joined by those on which the job failed for a reason of theirs, while there are others', () => {
      const job = jobOf({ state: 'Running' });
      const executions = [executionOf(0, 1, 'full', observedAs.failed('internal', 'contract'))];
      const at = (search: Search) => plan({ job, executions, search }, NOW + 5000);
      const both = roundOf([entryOf('full'), entryOf('other')]);
      const [first] = at(both);
      expect(first).toMatchObject({
        kind: 'StartSearch',
        exclude: ['full'],
        ruledOut: [
          { provider: 'full', why: { code: 'failed-here', data: { why: saidBy('internal') } }, failed: true },
        ],
      });
      // Nobody else is known: it may have mended what it was.
      expect(at(roundOf([entryOf('full')]))).toMatchObject([{ kind: 'StartSearch', exclude: [] }]);
      const before = first?.kind === 'StartSearch' ? (first.ruledOut ?? []) : [];
      const busy = { index: noes(declineOf('other')), round: 2, exclude: ['full'], ruledOut: before };
      expect(at(empty({ ...busy, partial: true }))).toMatchObject([{ exclude: ['full'] }]);
      const gone = { ...busy, index: noes() };
      expect(at(empty({ ...gone, partial: true }))).toMatchObject([{ exclude: [] }]);
    });

    describe('who bid, and then said nothing', () => {
      const silent = (provider: string, attempt: number, at = NOW): Execution =>
        executionOf(0, attempt, provider, {
          state: 'AskForBidRejected',
          end: {
            ...endOf('denied', { why: saidBy('no answer') }),
            finishedAt: at,
            silent: true,
          },
        });
      const startOf = (executions: readonly Execution[], now: number) =>
        plan({ executions, search: roundOf([entryOf('a'), entryOf('b')]) }, now)[0];

      it('is left alone, for longer each time, and by the third time in this job for good', () => {
        const once = [silent('a', 1)];
        expect(startOf(once, NOW)).toMatchObject({
          kind: 'StartSearch',
          exclude: ['a'],
          ruledOut: [
            {
              provider: 'a',
              why: { code: 'bid-not-kept', data: { why: saidBy('no answer') } },
              failed: true,
            },
          ],
        });
        expect(startOf(once, NOW + 10_000)).toMatchObject({ exclude: [] });
        const twice = [...once, silent('a', 2, NOW + 20_000)];
        expect(startOf(twice, NOW + 59_000)).toMatchObject({ exclude: ['a'] });
        expect(startOf(twice, NOW + 60_000)).toMatchObject({ exclude: [] });
        const thrice = [...twice, silent('a', 3, NOW + 70_000)];
        expect(startOf(thrice, NOW + 3_000_000)).toMatchObject({ exclude: ['a'] });
      });

      it('makes a job that it is alone with wait, as long as it is to be asked again', () => {
        const timeouts = { ...jobOf().spec.timeouts, queueMs: 600_000, queueFor: 'room' as const };
        const job = jobOf({ spec: { timeouts } });
        const excluding = empty({ round: 2, fruitlessRounds: 2, exclude: ['a'] });
        expect(kinds(plan({ job, executions: [silent('a', 1)], search: excluding }))).toEqual([
          'job Queued',
          'again job-queue +5000',
        ]);
        const often = [1, 2, 3].map((attempt) => silent('a', attempt));
        const actions = plan({ job, executions: often, search: excluding });
        expect(kinds(actions)).toEqual(['job Failed']);
        expect(reasonOf(plan({ executions: often, search: excluding }))).not.toContain('undefined');
      });

      it('leaves the job to one of the round that has kept a contract, whatever others bid', () => {
        const search = roundOf([entryOf('a'), entryOf('b'), { ...entryOf('c'), known: true }]);
        const openNegotiations = new Set(['a', 'b', 'c']);
        const placed = (executions: readonly Execution[]) =>
          plan({ job: jobOf({ state: 'Running' }), executions, search, openNegotiations }).flatMap(
            (action) => (action.kind === 'CreateExecution' ? [action.execution.provider] : []),
          );
        expect(placed([])).toEqual(['a']);
        expect(placed([silent('a', 1)])).toEqual(['c']);
      });

      it('is told from one that has no room, and from a bid that was not used', () => {
        const taken = executionOf(0, 1, 'a', {
          state: 'AskForBidRejected',
          end: { ...endOf('denied'), noRoom: true },
        });
        const unused = executionOf(0, 2, 'b', { state: 'BidRejected', end: endOf('cancelled') });
        expect(startOf([taken, unused], NOW)).toMatchObject({ exclude: [] });
      });

      it('is like one that does not stand by its bid twice', () => {
        const lost = (attempt: number) => executionOf(0, attempt, 'a', observedAs.failed('lost'));
        expect(startOf([lost(1)], NOW)).toMatchObject({ exclude: [] });
        expect(startOf([lost(1), lost(2)], NOW)).toMatchObject({ exclude: ['a'] });
      });
    });

    it('a preferred provider without room is tried once', () => {
      const job = jobOf({ state: 'Running', spec: { preferredProviders: ['full'] } });
      const failed = executionOf(0, 1, 'full', observedAs.failed('internal', 'contract'));
      const search = roundOf([entryOf('full', { slots: 5 }), entryOf('other')]);
      const negotiating = new Set(['full', 'other']);
      const actions = plan({ job, executions: [failed], search, openNegotiations: negotiating }, NOW + 1000);
      expect(kinds(actions)).toEqual([`create ${e(0, 2)} on other`]);
      const later = plan({ job, executions: [failed], search }, NOW + 1000);
      expect(later).toMatchObject([{ kind: 'StartSearch', exclude: ['full'] }]);
    });

    it('is not more than a request has room for', () => {
      const many = Array.from({ length: 200 }, (_, index) => declineOf(`p${index}`, final));
      const job = jobOf({ spec: { excludedProviders: ['x'] } });
      const [start] = plan({ job, search: empty({ partial: true, index: noes(...many) }) });
      const exclude = start?.kind === 'StartSearch' ? start.exclude : [];
      expect(exclude).toHaveLength(MOST_EXCLUDED);
      expect(exclude[0]).toBe('x');
    });
  });

  it('a search that a restart interrupted is repeated', () => {
    expect(kinds(plan({ search: empty({ closeReason: 'interrupted' }) }))).toEqual(['search 2 for 1']);
  });
});
