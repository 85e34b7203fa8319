import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { canMoveContract, type ContractState } from '../../../src/domain/market/contract.ts';
import { canObserve, type Observed, type ObservedState } from '../../../src/domain/market/execution.ts';
import { type JobState, moveJob } from '../../../src/domain/job/job.ts';
import {
  commitLease,
  expireLease,
  holdLease,
  renewLease,
  type Lease,
  type LeaseState,
  releaseLease,
} from '../../../src/domain/market/lock.ts';
import { SERVING_ARROWS } from '../../../src/provider/executions/live-executions.ts';
import { executionOf, jobOf, observedAs } from '../fakes/market.ts';

/** The arrows between named states of a page's diagram. */
function drawn(page: string): readonly string[] {
  const text = readFileSync(`specs/states/${page}.md`, 'utf8');
  const [, diagram = ''] = /```mermaid\nstateDiagram-v2\n([\s\S]*?)```/.exec(text) ?? [];
  return [...diagram.matchAll(/^ {2}(\w+) --> (\w+)/gm)].map(([, from, to]) => `${from} --> ${to}`).sort();
}

function arrows<State extends string>(
  states: readonly State[],
  can: (from: State, to: State) => boolean,
): readonly string[] {
  return states
    .flatMap((from) => states.filter((to) => from !== to && can(from, to)).map((to) => `${from} --> ${to}`))
    .sort();
}

function succeeds(act: () => unknown): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}

describe('the diagrams say what the code does', () => {
  it('job', () => {
    const states: readonly JobState[] = ['Pending', 'Queued', 'Running', 'Completed', 'Failed', 'Stopped'];
    expect(drawn('job')).toEqual(
      arrows(states, (from, to) => succeeds(() => moveJob(jobOf({ state: from }), to, 0))),
    );
  });

  it('execution', () => {
    const samples: Readonly<Record<ObservedState, Observed>> = {
      New: observedAs.new(),
      AskForBid: observedAs.asking(),
      AskForBidAccepted: observedAs.locked(),
      AskForBidRejected: observedAs.declined(),
      BidRejected: observedAs.rejected(),
      BidAccepted: observedAs.accepted(),
      Running: observedAs.running(),
      Publishing: observedAs.publishing(),
      Completed: observedAs.completed(),
      Failed: observedAs.failed('lost'),
      Cancelled: observedAs.cancelled(),
    };
    const states = Object.keys(samples) as ObservedState[];
    const can = (from: ObservedState, to: ObservedState): boolean =>
      canObserve(executionOf(0, 1, 'a', samples[from]), to);
    expect(drawn('execution')).toEqual(arrows(states, can));
  });

  it('contract', () => {
    const states: readonly ContractState[] = [
      'DRAFT',
      'PROPOSED',
      'ACCEPTED',
      'ACTIVE',
      'COMPLETED',
      'SETTLED',
      'TERMINATED',
      'DECLINED',
    ];
    expect(drawn('contract')).toEqual(arrows(states, canMoveContract));
  });

  it('lease', () => {
    const held = holdLease({
      lockId: 'lock',
      holder: 'holder',
      jobId: 'job',
      executionId: 'execution',
      resources: { cpuMillis: 0, memoryBytes: 0, diskBytes: 0, gpus: [] },
      version: 1,
      acquiredAt: 0,
      ttlMs: 1,
    });
    const moves: Readonly<Record<LeaseState, (lease: Lease) => Lease>> = {
      held: (lease) => renewLease(lease, 0, 1),
      committed: (lease) => commitLease(lease, 'execution', 0, 1),
      released: releaseLease,
      expired: expireLease,
    };
    const states = Object.keys(moves) as LeaseState[];
    const can = (from: LeaseState, to: LeaseState): boolean =>
      succeeds(() => moves[to]({ ...held, state: from }));
    // Only a lease that is held may stay as it is: it is renewed.
    const stays = states.filter((state) => can(state, state)).map((state) => `${state} --> ${state}`);
    expect(stays).toEqual(['held --> held']);
    expect(drawn('lease')).toEqual([...arrows(states, can), ...stays].toSorted());
  });

  it('serving', () => {
    const states = Object.keys(SERVING_ARROWS) as (keyof typeof SERVING_ARROWS)[];
    expect(drawn('serving')).toEqual(arrows(states, (from, to) => SERVING_ARROWS[from].includes(to)));
  });
});
