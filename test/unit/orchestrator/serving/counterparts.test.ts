import { beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { Counterparts } from '../../../../src/orchestrator/serving/counterparts.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';
import { executionOf, LOCK, observedAs } from '../../fakes/market.ts';

let clock: FakeClock;
let notes: Map<string, Uint8Array>;
let score: number;

beforeEach(() => {
  clock = new FakeClock();
  notes = new Map();
  score = 1000;
});

async function started(): Promise<Counterparts> {
  const counterparts = new Counterparts(
    { writeDelayMs: 2000 },
    {
      clock,
      logger: silentLogger,
      notes: {
        get: async (name) => notes.get(name),
        put: async (name, value) => void notes.set(name, value),
      },
      behaviour: { behaviourOf: () => ({ score, strikes: [] }) },
    },
  );
  await counterparts.start();
  return counterparts;
}

const proposed = { contractId: 'contract' };
const asked = { state: 'AskForBidAccepted', lock: LOCK } as const;

describe('the counterparts of a requester', () => {
  it('are those to whom a contract was proposed, from before they can have heard of it', async () => {
    const counterparts = await started();
    counterparts.complete();
    counterparts.seen([executionOf(0, 1, 'provider', asked)]);
    expect(counterparts.mayReport('provider')).toBe(false);
    counterparts.seen([executionOf(0, 1, 'provider', asked, proposed)]);
    expect(counterparts.mayReport('provider')).toBe(true);
    expect(counterparts.isKnown('provider')).toBe(true);
    expect(counterparts.mayReport('nobody')).toBe(false);
    expect(counterparts.isKnown('nobody')).toBe(false);
  });

  it('may still report what is over, and are known only for what they kept', async () => {
    const counterparts = await started();
    counterparts.complete();
    counterparts.seen([executionOf(0, 1, 'good', observedAs.running(), proposed)]);
    counterparts.seen([executionOf(1, 1, 'bad', observedAs.running(), proposed)]);
    counterparts.seen([executionOf(0, 1, 'good', observedAs.completed(), proposed)]);
    counterparts.seen([executionOf(1, 1, 'bad', observedAs.failed('lost'), proposed)]);
    expect(['good', 'bad'].map((peer) => counterparts.mayReport(peer))).toEqual([true, true]);
    expect(['good', 'bad'].map((peer) => counterparts.isKnown(peer))).toEqual([true, false]);
    score = 499;
    expect(counterparts.isKnown('good')).toBe(false);
  });

  it('are remembered over a restart, and nobody is turned away before the open jobs were read', async () => {
    const first = await started();
    first.seen([executionOf(0, 1, 'provider', observedAs.running(), proposed)]);
    first.seen([executionOf(0, 1, 'provider', observedAs.completed(), proposed)]);
    await first.stop();
    const second = await started();
    expect(second.mayReport('nobody')).toBe(true);
    second.complete();
    expect(second.mayReport('nobody')).toBe(false);
    expect(second.mayReport('provider')).toBe(true);
    expect(second.isKnown('provider')).toBe(true);
  });

  it('know their executions by name', async () => {
    const counterparts = await started();
    const execution = executionOf(0, 1, 'provider', observedAs.running(), proposed);
    counterparts.seen([execution]);
    expect(counterparts.isOf('provider', execution.id)).toBe(true);
    expect(counterparts.isOf('another', execution.id)).toBe(false);
    expect(counterparts.isOf('provider', 'made-up.v1.p0r0.a1')).toBe(false);
  });
});
