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
  | { readonly kind: 'requeue'; readonly which: number; readonly evaluation: Evaluation }
  | { readonly kind: 'forget-job'; readonly jobId: string }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'take-cancelable'; readonly max: number }
  | { readonly kind: 'take-dead-letter' };

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
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('requeue'), which: fc.nat(9), evaluation: evaluations }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('forget-job'), jobId: fc.nat(JOBS).map((job) => `job ${job}`) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('advance'), ms: fc.constantFrom(1, 100, 1000, 6000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('take-cancelable'), max: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('take-dead-letter') }) },
);

/** Drives a broker and keeps books of its own about what must still be in it. */
class Books {
  readonly scene: BrokerScene = brokerScene({ maxDeliveries: 2, maxWaitingPerJob: 3, maxCancelable: 1000 });
  /** Ids that went in and did not come out. */
  readonly inside = new Set<string>();
  readonly flights: Delivery[] = [];
  readonly #requeues = new Map<string, Evaluation[]>();

  async step(step: Step): Promise<void> {
    const { broker, clock, takeIfReady } = this.scene;
    switch (step.kind) {
      case 'enqueue':
        broker.enqueueAll(step.evaluations);
        for (const { id } of step.evaluations) this.inside.add(id);
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
      case 'requeue':
        this.#requeue(step.evaluation, step.which);
        break;
      case 'forget-job':
        broker.forgetJob(step.jobId);
        break;
      case 'advance':
        clock.advance(step.ms);
        break;
      case 'take-cancelable':
        this.takeCancelable(step.max);
        break;
      case 'take-dead-letter':
        this.takeDeadLetter();
        break;
    }
    await Promise.resolve();
  }

  takeCancelable(max: number): void {
    for (const { id } of this.scene.broker.cancelable(max)) this.#out(id);
  }

  takeDeadLetter(): boolean {
    const letter = this.scene.broker.dequeueDeadLetter();
    if (letter !== undefined) this.#out(letter.evaluation.id);
    return letter !== undefined;
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
    this.#out(id);
    for (const { id: next } of this.#requeues.get(receipt) ?? []) this.inside.add(next);
  }

  #out(id: string): void {
    expect(this.inside.delete(id), `${id} came out and was not inside`).toBe(true);
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

  #requeue(next: Evaluation, which: number): void {
    const delivery = this.#pick(which);
    if (delivery === undefined) return;
    try {
      this.scene.broker.requeueOnAck(next, delivery.receipt);
    } catch (error) {
      if (!this.#isOver(error)) throw error;
      return;
    }
    this.#requeues.set(delivery.receipt, [...(this.#requeues.get(delivery.receipt) ?? []), next]);
  }
}

function expectSound(books: Books): void {
  const { total, byType } = books.scene.broker.stats();
  const held = Object.values(total).reduce((sum, count) => sum + count, 0);
  expect(held, 'what went in and did not come out is held').toBe(books.inside.size);
  for (const type of ALL_TYPES) {
    const onTheirWay = byType[type].ready + byType[type]['in-flight'] + byType[type]['held-back'];
    // There are as many jobs as types, so that a type's count is a job's count.
    expect(onTheirWay, `evaluations of one ${type} job on their way`).toBeLessThanOrEqual(1);
    expect(onTheirWay === 0 && byType[type].pending > 0, 'a pending one waits for nothing').toBe(false);
    expect(byType[type]['dead-letter']).toBeLessThanOrEqual(1);
  }
}

/** Ends everything that can be ended, until the broker is empty. */
async function drainAll(books: Books): Promise<void> {
  for (let round = 0; round < 200 && (round === 0 || books.inside.size > 0); round += 1) {
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
    books.takeCancelable(1000);
    while (books.takeDeadLetter());
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
      const { counters } = books.scene.broker.stats();
      seen.acked += counters.acked;
      seen.nacked += counters.nacked;
      seen.timedOut += counters.timedOut;
      seen.deadLettered += counters.deadLettered;
      await drainAll(books);
      expect([...books.inside], 'evaluations that never came out').toEqual([]);
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
        const { broker, drain } = brokerScene();
        const list = all.map(([priority, createdAt, type], index) =>
          evaluation(`${index}`, { priority, createdAt, type }),
        );
        broker.enqueueAll(list);
        const expected = list.toSorted((a, b) => b.priority - a.priority || a.createdAt - b.createdAt);
        expect(await drain()).toEqual(expected.map(({ id }) => id));
      },
    ),
    { numRuns: 200 },
  );
});
