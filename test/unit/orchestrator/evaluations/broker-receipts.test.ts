import { describe, expect, it } from 'vitest';
import {
  defaultBrokerOptions,
  nackDelayMs,
} from '../../../../src/orchestrator/evaluations/broker-options.ts';
import { brokerScene, codeThrownBy, evaluation } from './broker-scene.ts';

describe('receipts', () => {
  it('knows whose delivery it is', async () => {
    const { broker, clock, take } = brokerScene();
    broker.enqueue(evaluation('a'));
    const first = await take();
    broker.nack('a', first.receipt);
    clock.advance(100);
    const second = await take();

    for (const verb of ['ack', 'nack', 'extend'] as const) {
      expect(codeThrownBy(() => broker[verb]('a', first.receipt))).toBe('RECEIPT_MISMATCH');
      expect(codeThrownBy(() => broker[verb]('unknown', second.receipt))).toBe('EVALUATION_NOT_IN_FLIGHT');
    }
    broker.ack('a', second.receipt);
    expect(codeThrownBy(() => broker.ack('a', second.receipt))).toBe('EVALUATION_NOT_IN_FLIGHT');
    expect(broker.stats().counters).toMatchObject({ acked: 1, nacked: 1 });
  });

  it('nacks what is not settled within the visibility timeout', async () => {
    const { broker, clock, take, takeIfReady } = brokerScene();
    broker.enqueue(evaluation('a'));
    const { receipt } = await take();
    clock.advance(4999);
    expect(broker.stats().total['in-flight']).toBe(1);
    clock.advance(1);
    expect(broker.stats()).toMatchObject({
      total: { 'in-flight': 0, 'held-back': 1 },
      counters: { timedOut: 1, nacked: 0 },
    });
    expect(codeThrownBy(() => broker.ack('a', receipt))).toBe('EVALUATION_NOT_IN_FLIGHT');
    expect(codeThrownBy(() => broker.extend('a', receipt))).toBe('EVALUATION_NOT_IN_FLIGHT');
    clock.advance(100);
    expect((await takeIfReady())?.deliveries).toBe(2);
  });

  it('starts the visibility timeout anew when extended', async () => {
    const { broker, clock, take } = brokerScene();
    broker.enqueue(evaluation('a'));
    const { receipt } = await take();
    for (let times = 0; times < 3; times += 1) {
      clock.advance(4999);
      broker.extend('a', receipt);
    }
    clock.advance(4999);
    expect(broker.stats().total['in-flight']).toBe(1);
    clock.advance(1);
    expect(broker.stats().total['in-flight']).toBe(0);
  });
});

describe('nacks', () => {
  it('waits longer after each one', async () => {
    const { broker, clock, take, takeIfReady } = brokerScene({ maxDeliveries: 4 });
    broker.enqueue(evaluation('a'));
    for (const delayMs of [100, 1000, 2000]) {
      broker.nack('a', (await take()).receipt);
      clock.advance(delayMs - 1);
      expect(await takeIfReady()).toBeUndefined();
      clock.advance(1);
    }
    expect((await take()).deliveries).toBe(4);
  });

  it('has 5 s, then 30 s more each time, up to a bound, as its defaults', () => {
    const delays = [1, 2, 3, 4, 20].map((deliveries) => nackDelayMs(defaultBrokerOptions, deliveries));
    expect(delays).toEqual([5000, 30_000, 60_000, 90_000, 300_000]);
  });

  it('wakes a waiting dequeuer when the delay is over', async () => {
    const { broker, clock, take } = brokerScene();
    broker.enqueue(evaluation('a'));
    broker.nack('a', (await take()).receipt);
    const waiting = broker.dequeue(['batch'], 0);
    clock.advance(100);
    expect((await waiting)?.deliveries).toBe(2);
  });

  it('is ready again at once where there is no delay', async () => {
    const { broker, take } = brokerScene({ firstNackDelayMs: 0 });
    broker.enqueue(evaluation('a'));
    broker.nack('a', (await take()).receipt);
    expect((await take()).deliveries).toBe(2);
  });

  it('keeps the turn of its job while it is held back', async () => {
    const { broker, clock, take, takeIfReady, drain } = brokerScene();
    broker.enqueue(evaluation('a', { jobId: 'job' }));
    const { receipt } = await take();
    broker.enqueue(evaluation('b', { jobId: 'job', priority: 99 }));
    broker.nack('a', receipt);
    expect(await takeIfReady()).toBeUndefined();
    clock.advance(100);
    expect(await drain()).toEqual(['a', 'b']);
  });
});

describe('dead letters', () => {
  it('gives up after the last delivery and lets the next of the job have its turn', async () => {
    const { broker, clock, take, drain, deadLetterCalls } = brokerScene();
    broker.enqueue(evaluation('poison', { jobId: 'job' }));
    for (const delayMs of [100, 1000]) {
      broker.nack('poison', (await take()).receipt);
      clock.advance(delayMs);
    }
    const last = await take();
    broker.enqueue(evaluation('next', { jobId: 'job' }));
    expect(deadLetterCalls()).toBe(0);
    broker.nack('poison', last.receipt);

    expect(deadLetterCalls()).toBe(1);
    expect(await drain()).toEqual(['next']);
    broker.enqueue(evaluation('poison', { jobId: 'job' }));
    expect(broker.stats().total).toMatchObject({ 'dead-letter': 1, ready: 0 });
    expect(broker.dequeueDeadLetter()).toMatchObject({ evaluation: { id: 'poison' }, deliveries: 3 });
    expect(broker.dequeueDeadLetter()).toBeUndefined();
    broker.enqueue(evaluation('poison', { jobId: 'job' }));
    expect((await take()).deliveries).toBe(1);
  });

  it('wakes a waiting dequeuer with the next of the job', async () => {
    const { broker, take } = brokerScene({ maxDeliveries: 1 });
    broker.enqueueAll([evaluation('poison', { jobId: 'job' }), evaluation('next', { jobId: 'job' })]);
    const { receipt } = await take();
    const waiting = broker.dequeue(['batch'], 0);
    broker.nack('poison', receipt);
    expect((await waiting)?.evaluation.id).toBe('next');
  });

  it('counts deliveries that ran out of time', async () => {
    const { broker, clock, take } = brokerScene({ maxDeliveries: 1 });
    broker.enqueue(evaluation('a'));
    await take();
    clock.advance(5000);
    expect(broker.dequeueDeadLetter()?.evaluation.id).toBe('a');
    expect(broker.stats().counters).toMatchObject({ timedOut: 1, deadLettered: 1 });
  });

  it('accepts an ack of the very last delivery', async () => {
    const { broker, clock, take } = brokerScene({ maxDeliveries: 2 });
    broker.enqueue(evaluation('a'));
    broker.nack('a', (await take()).receipt);
    clock.advance(100);
    broker.ack('a', (await take()).receipt);
    expect(broker.dequeueDeadLetter()).toBeUndefined();
    expect(broker.stats().counters).toMatchObject({ acked: 1, deadLettered: 0 });
  });

  it('keeps the newest of a job and gives them out oldest first', async () => {
    const { broker, take } = brokerScene({ maxDeliveries: 1 });
    for (const [id, jobId] of [
      ['a1', 'a'],
      ['b1', 'b'],
      ['a2', 'a'],
    ] as const) {
      broker.enqueue(evaluation(id, { jobId }));
      broker.nack(id, (await take()).receipt);
    }
    expect(broker.cancelable(5).map(({ id }) => id)).toEqual(['a1']);
    expect(broker.dequeueDeadLetter()?.evaluation.id).toBe('b1');
    expect(broker.dequeueDeadLetter()?.evaluation.id).toBe('a2');
  });
});

describe('requeue', () => {
  it('enqueues on ack, also the very evaluation in flight, with a fresh count', async () => {
    const { broker, take, takeIfReady } = brokerScene();
    broker.enqueue(evaluation('a'));
    const { receipt } = await take();
    broker.requeueOnAck(evaluation('a', { priority: 60 }), receipt);
    broker.requeueOnAck(evaluation('a', { priority: 70 }), receipt);
    broker.requeueOnAck(evaluation('other', { priority: 1 }), receipt);
    expect(await takeIfReady()).toBeUndefined();

    broker.ack('a', receipt);
    expect(await take()).toMatchObject({ evaluation: { id: 'a', priority: 60 }, deliveries: 1 });
    expect((await take()).evaluation.id).toBe('other');
    expect(codeThrownBy(() => broker.requeueOnAck(evaluation('late'), receipt))).toBe(
      'EVALUATION_NOT_IN_FLIGHT',
    );
  });

  it('collapses with what is pending into one', async () => {
    const { broker, take, drain } = brokerScene();
    broker.enqueue(evaluation('a', { jobId: 'job' }));
    const { receipt } = await take();
    broker.enqueue(evaluation('pending', { jobId: 'job', createdAt: 1001 }));
    broker.requeueOnAck(evaluation('requeued', { jobId: 'job', createdAt: 1002 }), receipt);
    broker.ack('a', receipt);
    expect(await drain()).toEqual(['requeued']);
    expect(broker.cancelable(5).map(({ id }) => id)).toEqual(['pending']);
  });

  it('waits for its time after the ack', async () => {
    const { broker, clock, take, takeIfReady } = brokerScene();
    broker.enqueue(evaluation('a', { jobId: 'job' }));
    const { receipt } = await take();
    broker.requeueOnAck(evaluation('later', { jobId: 'job', waitUntil: clock.nowMs() + 500 }), receipt);
    broker.ack('a', receipt);
    expect(await takeIfReady()).toBeUndefined();
    clock.advance(500);
    expect((await take()).evaluation.id).toBe('later');
  });

  it('is dropped by a nack and by a timeout', async () => {
    const { broker, clock, take, drain } = brokerScene();
    broker.enqueue(evaluation('a'));
    const first = await take();
    broker.requeueOnAck(evaluation('dropped'), first.receipt);
    broker.nack('a', first.receipt);
    clock.advance(100);
    const second = await take();
    broker.requeueOnAck(evaluation('dropped too'), second.receipt);
    clock.advance(6000);
    expect(await drain()).toEqual(['a']);
  });
});
