import { describe, expect, it } from 'vitest';
import type { ContractRecord } from '../../../src/domain/market/contract.ts';
import type { Execution } from '../../../src/domain/market/execution.ts';
import type { ExitReason } from '../../../src/domain/program/task.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import type { ProviderExecution } from '../../../src/provider/ports.ts';
import { Census } from '../../../src/store/census.ts';
import { openStore, type Store } from '../../../src/store/index.ts';
import { MemoryDisk } from '../../simulation/memory-disk.ts';
import { defaultStoreLimits } from '../../../src/store/options.ts';
import { ManualClock, seededRandom } from './clocks.ts';
import * as make from './market-records.ts';

function ended(id: string, exitReason: ExitReason, contractId?: string): Execution {
  const end = { finishedAt: 1, exitReason, why: make.told('') };
  const observed = { state: 'Failed' as const, end, ...(contractId === undefined ? {} : { contractId }) };
  return { ...make.execution('j', 0, 1), id, observed };
}

function inState(state: ContractRecord['state']): ContractRecord {
  return { ...make.contract('j', 'c'), state };
}

function provided(executionId: string, exitReason?: ExitReason, settled = false): ProviderExecution {
  const item = { executionId, ...(exitReason === undefined ? {} : { exitReason }) };
  return { item, settled } as unknown as ProviderExecution;
}

describe('the census', () => {
  it('moves a job from state to state, and forgets the one that goes', () => {
    const census = new Census();
    for (const [before, after] of [
      [undefined, 'Pending'],
      [undefined, 'Pending'],
      ['Pending', 'Running'],
      ['Running', 'Running'],
      ['Running', 'Completed'],
      ['Completed', undefined],
    ] as const) {
      census.job(
        before === undefined ? undefined : { state: before },
        after === undefined ? undefined : { state: after },
      );
    }
    expect(census.read().jobs).toEqual({ Pending: 1, Running: 0, Completed: 0 });
  });

  it('counts the end of an execution once, and only under contract', () => {
    const census = new Census();
    const failed = ended('a', 'exit-code', 'c');
    census.requested([make.execution('j', 0, 1)], [failed], []);
    census.requested([failed], [failed], []);
    census.requested([], [ended('b', 'cancelled')], []);
    expect(census.read().requester.executions).toEqual({ 'exit-code': 1 });
  });

  it('counts what the provider ended once, also where its result was given up later', () => {
    const census = new Census();
    for (const execution of [
      provided('a'),
      provided('a', 'completed'),
      provided('a', 'cancelled'),
      provided('a', 'cancelled', true),
    ]) {
      census.provided([execution], [], []);
    }
    census.provided([], [], ['a']);
    expect(census.read().provider.executions).toEqual({ completed: 1 });
  });

  it('counts each state that a contract comes into, for each role', () => {
    const census = new Census();
    census.requested([], [], [inState('PROPOSED')]);
    census.requested([], [], [inState('ACCEPTED')]);
    census.provided([], [inState('ACCEPTED')], []);
    const { requester, provider } = census.read();
    expect(requester.contracts).toEqual({ PROPOSED: 1, ACCEPTED: 1 });
    expect(provider.contracts).toEqual({ ACCEPTED: 1 });
  });
});

describe('the census of a store', () => {
  const clock = new ManualClock();
  const disk = new MemoryDisk({ clock, random: seededRandom(1) }, { leastDelayMs: 1, mostDelayMs: 2 });

  function open(): Promise<Store> {
    const opening = (async () =>
      openStore(
        { folder: 'memory', contentFolder: 'memory', limits: defaultStoreLimits },
        { clock, logger: silentLogger, database: await disk.open() },
      ))();
    return clock.settle(opening);
  }

  it('has the jobs of earlier lives, and counts the rest anew', async () => {
    const first = await open();
    for (const [jobId, state] of [
      ['a', 'Completed'],
      ['b', 'Queued'],
    ] as const) {
      await clock.settle(
        first.jobs.commit({
          jobId,
          revision: 0,
          job: make.job(jobId, state === 'Completed' ? { state, finishedAt: 5 } : { state }),
          executions: [{ ...ended(`${jobId}.1`, 'completed', 'c'), jobId }],
          contracts: [make.contract(jobId, `${jobId}-c`)],
          events: [],
        }),
      );
    }
    const counts = first.census();
    expect(counts.jobs).toEqual({ Completed: 1, Queued: 1 });
    expect(counts.requester.executions).toEqual({ completed: 2 });
    await clock.settle(first.stop());
    const second = await open();
    expect(second.census().jobs).toEqual({ Completed: 1, Queued: 1 });
    expect(second.census().requester.executions).toEqual({});
    await clock.advance(100_000);
    const pruned = await clock.settle(second.jobs.pruneFinished(0, 0));
    expect(pruned.jobIds).toEqual(['a']);
    expect(second.census().jobs).toEqual({ Completed: 0, Queued: 1 });
    await clock.settle(second.stop());
  });
});
