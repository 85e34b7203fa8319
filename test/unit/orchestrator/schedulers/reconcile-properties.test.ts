import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { type Execution, isCommitted, isLive } from '../../../../src/domain/market/execution.ts';
import { isTerminalJobState } from '../../../../src/domain/job/job.ts';
import type { Plan } from '../../../../src/domain/job/plan.ts';
import { hasRunOut } from '../../../../src/domain/market/search.ts';
import { entryOf, jobOf, LOCK } from '../../fakes/market.ts';
import { PlanWorld } from './plan-world.ts';

type Fact =
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'bids'; readonly bids: readonly { slots: number; locked: boolean }[] }
  | { readonly kind: 'lock'; readonly at: number; readonly granted: boolean }
  | { readonly kind: 'proposal'; readonly at: number; readonly outcome: 'accepted' | 'never' | 'unknown' }
  | {
      readonly kind: 'report';
      readonly at: number;
      readonly outcome: 'Running' | 'Publishing' | 'Failed' | 'Completed';
    }
  | { readonly kind: 'break'; readonly at: number }
  | { readonly kind: 'stop' };

const at = fc.nat(20);
const fact: fc.Arbitrary<Fact> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 900, 4000, 6000, 60_000),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('bids' as const),
      bids: fc.array(fc.record({ slots: fc.integer({ min: 0, max: 3 }), locked: fc.boolean() }), {
        maxLength: 4,
      }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('lock' as const), at, granted: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('proposal' as const),
      at,
      outcome: fc.constantFrom(
        'accepted' as const,
        'accepted' as const,
        'never' as const,
        'unknown' as const,
      ),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('report' as const),
      at,
      outcome: fc.constantFrom(
        'Running' as const,
        'Publishing' as const,
        'Failed' as const,
        'Completed' as const,
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('break' as const), at }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stop' as const) }) },
);

/** One fact opens every partition at most. */
const MOST_PER_FACT = 5;

describe('reconcileBatch, whatever happens', () => {
  test.prop([fc.integer({ min: 1, max: 5 }), fc.constantFrom(0, 20_000), fc.array(fact, { maxLength: 60 })], {
    numRuns: 400,
  })('keeps its promises after every fact', (count, queueMs, facts) => {
    const world = new PlanWorld(jobOf({ spec: { count, timeouts: { ...jobOf().spec.timeouts, queueMs } } }));
    settleDown(world);
    for (const next of facts) {
      tell(world, next);
      settleDown(world);
    }
    expect(world.executions.size).toBeLessThanOrEqual(facts.length * MOST_PER_FACT);
  });
});

function tell(world: PlanWorld, next: Fact): void {
  const pick = (among: readonly Execution[], index: number): Execution | undefined =>
    among[index % among.length];
  switch (next.kind) {
    case 'wait':
      world.now += next.ms;
      return;
    case 'bids':
      world.closeSearch(
        next.bids.map(({ slots, locked }, index) =>
          entryOf(`p${index}`, locked ? { slots, lock: LOCK } : { slots }),
        ),
      );
      return;
    case 'lock': {
      const execution = pick(
        world.live.filter(({ observed }) => observed.state === 'New'),
        next.at,
      );
      if (execution !== undefined) world.answerLock(execution, next.granted);
      return;
    }
    case 'proposal': {
      const execution = pick(
        [...world.executions.values()].filter(
          ({ contractId }) => world.contracts.get(contractId ?? '')?.state === 'PROPOSED',
        ),
        next.at,
      );
      if (execution !== undefined) world.resolveProposal(execution, next.outcome);
      return;
    }
    case 'report': {
      const execution = pick(world.live.filter(isCommitted), next.at);
      if (execution !== undefined) world.report(execution, next.outcome);
      return;
    }
    case 'break': {
      const provider = [...world.open][next.at % Math.max(1, world.open.size)];
      if (provider !== undefined) world.open.delete(provider);
      return;
    }
    case 'stop':
      world.stop();
  }
}

/** Carries a plan out. Nobody asks again before the next fact unless the plan says so, so it must do all there is to do. */
function settleDown(world: PlanWorld): void {
  do {
    const plan = world.plan();
    checkPlan(world, plan);
    world.requeuedAt = undefined;
    world.carryOut(plan);
    checkWorld(world);
  } while (world.requeuedAt === world.now);
  const { requeuedAt } = world;
  expect(world.carryOut(world.plan()), 'a second plan finds more to do').toBe(false);
  world.requeuedAt = requeuedAt;
  checkSomethingFollows(world);
}

function checkPlan(world: PlanWorld, { actions }: Plan): void {
  const unknown = world.live.filter(
    ({ contractId, observed }) => contractId !== undefined && observed.state === 'AskForBidAccepted',
  );
  for (const action of actions) {
    if (action.kind === 'SetJobState') {
      expect(isTerminalJobState(world.job.state), 'an end state is left').toBe(false);
    }
    if (action.kind === 'MarkLost') {
      expect(
        unknown.map(({ id }) => id),
        'an unknown outcome is written off',
      ).not.toContain(action.executionId);
    }
    if (action.kind === 'StartSearch') {
      const ended = new Set(actions.flatMap((other) => ('executionId' in other ? [other.executionId] : [])));
      const negotiating = world.live.filter((known) => !isCommitted(known) && !ended.has(known.id));
      expect(negotiating, 'a search takes the bids away that are being negotiated').toEqual([]);
    }
    if (action.kind === 'CreateExecution') {
      expect(
        unknown.map(({ partition }) => partition),
        'an unknown outcome is replaced',
      ).not.toContain(action.execution.partition);
      expect(world.executions.has(action.execution.id), 'an execution is made twice').toBe(false);
      const bid = world.search?.index.entries.find(({ provider }) => provider === action.execution.provider);
      expect(bid === undefined || hasRunOut(bid, world.now), 'a bid is used that has run out').toBe(false);
    }
  }
}

function checkWorld(world: PlanWorld): void {
  const partitions = world.live.map(({ partition }) => partition);
  expect(new Set(partitions).size, 'a partition has two live executions').toBe(partitions.length);
  const completed = new Set(
    [...world.executions.values()]
      .filter(({ observed }) => observed.state === 'Completed')
      .map(({ partition }) => partition),
  );
  if (world.job.state === 'Completed') expect(completed.size).toBe(world.job.spec.count);
  if (isTerminalJobState(world.job.state)) expect(world.live, 'an end leaves something alive').toEqual([]);
  for (const { id, observed, contractId } of world.executions.values()) {
    const contract = world.contracts.get(contractId ?? '');
    const ended = observed.state === 'Failed' || observed.state === 'Cancelled';
    if (ended && contract !== undefined && contract.state !== 'PROPOSED' && contract.state !== 'DECLINED')
      expect(contract.state, `contract of ${id}`).toBe('TERMINATED');
    if (observed.state === 'Completed') expect(contract?.state).toBe('COMPLETED');
  }
}

/** At rest, an open job waits for something that is sure to come: a search, a time, or the outcome of an execution. */
function checkSomethingFollows(world: PlanWorld): void {
  if (isTerminalJobState(world.job.state)) {
    expect(world.search?.state ?? 'closed', 'a search outlives its job').toBe('closed');
    expect([...world.open], 'a bidder waits for a job that is over').toEqual([]);
    return;
  }
  const settled = world.live.every(isCommitted) && world.live.length > 0 && world.requeuedAt === undefined;
  const placed = new Set(
    [...world.executions.values()]
      .filter((known) => isLive(known) || known.observed.state === 'Completed')
      .map(({ partition }) => partition),
  );
  if (settled && placed.size === world.job.spec.count)
    expect([...world.open], 'a bidder waits for a job that needs nobody').toEqual([]);
  const searching = world.search !== undefined && world.search.state !== 'closed';
  const negotiatedAlone = world.live
    .filter(({ observed, contractId }) => observed.state === 'AskForBidAccepted' && contractId === undefined)
    .map(({ id }) => id);
  expect(negotiatedAlone, 'a lock is held and nobody proposes').toEqual([]);
  expect(
    searching || world.requeuedAt !== undefined || world.live.some(isLive),
    'nothing would ever move this job on',
  ).toBe(true);
}
