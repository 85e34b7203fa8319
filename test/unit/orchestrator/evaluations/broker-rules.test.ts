import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Evaluation } from '../../../../src/domain/job/evaluation.ts';
import type { Delivery, EvaluationType } from '../../../../src/orchestrator/evaluations/broker-contract.ts';
import { ALL_TYPES, type BrokerScene, brokerScene, evaluation } from './broker-scene.ts';

type Step =
  | { readonly kind: 'enqueue'; readonly evaluations: readonly Evaluation[] }
  | { readonly kind: 'dequeue'; readonly types: readonly EvaluationType[] }
  | { readonly kind: 'wait'; readonly types: readonly EvaluationType[] }
  | { readonly kind: 'ack' | 'nack' | 'extend'; readonly which: number }
  | { readonly kind: 'forget-job'; readonly jobId: string }
  | { readonly kind: 'advance'; readonly ms: number };

const JOBS = 4;
const START_MS = 1_700_000_000_000;

/** A job has one type for life; ids come from a small pool, so that repeats are common. */
const evaluations = fc
  .record({
    number: fc.nat(40),
    priority: fc.integer({ min: 0, max: 3 }),
    createdAt: fc.integer({ min: 0, max: 5 }),
    waitMs: fc.option(fc.constantFrom(1, 50, 500, 20_000), { nil: undefined }),
  })
  .map(({ number, priority, createdAt, waitMs }) => {
    const job = number % JOBS;
    const type = ALL_TYPES[job % ALL_TYPES.length] ?? 'batch';
    const waits = waitMs === undefined ? {} : { waitUntil: START_MS + waitMs };
    return evaluation(`e${number}`, { jobId: `job ${job}`, type, priority, createdAt, ...waits });
  });

const types = fc.oneof(fc.constant(ALL_TYPES), fc.subarray([...ALL_TYPES], { minLength: 1 }));

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('enqueue'),
      evaluations: fc.array(evaluations, { maxLength: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('dequeue'), types }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait'), types }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('ack', 'nack', 'extend'), which: fc.nat(9) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('forget-job'), jobId: fc.nat(JOBS).map((job) => `job ${job}`) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('advance'), ms: fc.constantFrom(1, 100, 1000, 6000) }),
  },
);

/** Drives a broker and keeps books of its own about what must still be in it. */
class Books {
  readonly scene: BrokerScene = brokerScene({ maxDeliveries: 2, maxWaitingPerJob: 3 });
  /** Evaluations that went in; one whose id is held already does not. */
  taken = 0;
  readonly flights: Delivery[] = [];

  async step(step: Step): Promise<void> {
    const { broker, clock, takeIfReady } = this.scene;
    switch (step.kind) {
      case 'enqueue':
        for (const one of step.evaluations) this.#enqueue(one);
        break;
      case 'dequeue': {
        const delivery = await takeIfReady(step.types);
        if (delivery !== undefined) this.flights.push(delivery);
        break;
      }
      case 'wait':
        void broker.dequeue(step.types, 2000).then((delivery) => {
          if (delivery !== undefined) this.flights.push(delivery);
        });
        break;
      case 'ack':
      case 'nack':
      case 'extend':
        this.#settle(step.kind, step.which);
        break;
      case 'forget-job':
        broker.forgetJob(step.jobId);
        break;
      case 'advance':
        clock.advance(step.ms);
        break;
    }
    await Promise.resolve();
  }

  /** What is held, and what has left in each of the ways out. */
  accounted(): number {
    const { total, counters } = this.scene.stats();
    const held = Object.values(total).reduce((sum, count) => sum + count, 0);
    return held + counters.acked + counters.deadLettered + counters.superseded;
  }

  /** Each one that is taken is accounted for, and one that is held already changes nothing. */
  #enqueue(one: Evaluation): void {
    const before = this.accounted();
    this.scene.broker.enqueue(one);
    const added = this.accounted() - before;
    expect(added === 0 || added === 1).toBe(true);
    this.taken += added;
  }

  /** Drops those that ran out of time: the broker knows them no more. */
  liveFlights(): readonly Delivery[] {
    const live = this.flights.filter(({ evaluation: { id }, receipt }) => {
      try {
        this.scene.broker.extend(id, receipt);
        return true;
      } catch {
        return false;
      }
    });
    return live;
  }

  ack({ evaluation: { id }, receipt }: Delivery): void {
    this.scene.broker.ack(id, receipt);
  }

  #settle(how: 'ack' | 'nack' | 'extend', which: number): void {
    const delivery = this.#pick(which);
    if (delivery === undefined) return;
    try {
      if (how === 'ack') this.ack(delivery);
      else this.scene.broker[how](delivery.evaluation.id, delivery.receipt);
      if (how !== 'extend') this.flights.splice(this.flights.indexOf(delivery), 1);
    } catch (error) {
      if (!this.#isOver(error)) throw error;
    }
  }

  #isOver(error: unknown): boolean {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'EVALUATION_NOT_IN_FLIGHT' || code === 'RECEIPT_MISMATCH';
  }

  /** The newest come first, as older ones may have run out of time. */
  #pick(which: number): Delivery | undefined {
    return this.flights.at(-1 - (which % Math.max(1, this.flights.length)));
  }
}

function expectSound(books: Books): void {
  const { byType } = books.scene.stats();
  expect(books.accounted(), 'what went in is held or has left in a way that is counted').toBe(books.taken);
  for (const type of ALL_TYPES) {
    const onTheirWay = byType[type].ready + byType[type]['in-flight'] + byType[type]['held-back'];
    // There are as many jobs as types, so that a type's count is a job's count.
    expect(onTheirWay, `evaluations of one ${type} job on their way`).toBeLessThanOrEqual(1);
    expect(onTheirWay === 0 && byType[type].pending > 0, 'a pending one waits for nothing').toBe(false);
  }
}

function heldBy({ scene }: Books): number {
  return Object.values(scene.stats().total).reduce((sum, count) => sum + count, 0);
}

/** Ends everything that can be ended, until the broker is empty. */
async function drainAll(books: Books): Promise<void> {
  for (let round = 0; round < 200 && (round === 0 || heldBy(books) > 0); round += 1) {
    for (const delivery of books.liveFlights()) books.ack(delivery);
    books.flights.length = 0;
    books.scene.clock.advance(30_000);
    for (
      let next = await books.scene.takeIfReady();
      next !== undefined;
      next = await books.scene.takeIfReady()
    ) {
      books.ack(next);
    }
  }
}

it('loses no evaluation and never has two of a job on their way', { timeout: 60_000 }, async () => {
  const seen = { acked: 0, nacked: 0, timedOut: 0, deadLettered: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 60, size: 'max' }), async (plan) => {
      const books = new Books();
      for (const step of plan) {
        await books.step(step);
        expectSound(books);
      }
      const { counters } = books.scene.stats();
      seen.acked += counters.acked;
      seen.nacked += counters.nacked;
      seen.timedOut += counters.timedOut;
      seen.deadLettered += counters.deadLettered;
      await drainAll(books);
      expect(heldBy(books), 'evaluations that never came out').toBe(0);
      expectSound(books);
      expect(books.scene.clock.timers).toBe(0);
    }),
    { numRuns: 200 },
  );
  expect(Math.min(...Object.values(seen)), 'every end is seen often').toBeGreaterThan(5);
});

it('hands out in order of priority, then of age, whatever the types', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(5), fc.nat(5), fc.constantFrom(...ALL_TYPES)), { maxLength: 40 }),
      async (all) => {
        const { enqueueAll, drain } = brokerScene();
        const list = all.map(([priority, createdAt, type], index) =>
          evaluation(`${index}`, { priority, createdAt, type }),
        );
        enqueueAll(list);
        const expected = list.toSorted((a, b) => b.priority - a.priority || a.createdAt - b.createdAt);
        expect(await drain()).toEqual(expected.map(({ id }) => id));
      },
    ),
    { numRuns: 200 },
  );
});
