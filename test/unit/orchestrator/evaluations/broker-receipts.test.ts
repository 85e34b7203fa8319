import { describe, expect, it } from 'vitest';
import {
  defaultBrokerOptions,
  nackDelayMs,
} from '../../../../src/orchestrator/evaluations/broker-options.ts';
import { brokerScene, codeThrownBy, evaluation } from './broker-scene.ts';

describe('receipts', () => {
  it('knows whose delivery it is', async () => {
    const { broker, clock, take, stats } = brokerScene();
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
    expect(stats().counters).toMatchObject({ acked: 1, nacked: 1 });
  });

  it('nacks what is not settled within the visibility timeout', async () => {
    const { broker, clock, take, takeIfReady, stats } = brokerScene();
    broker.enqueue(evaluation('a'));
    const { receipt } = await take();
    clock.advance(4999);
    expect(stats().total['in-flight']).toBe(1);
    clock.advance(1);
    expect(stats()).toMatchObject({
      total: { 'in-flight': 0, 'held-back': 1 },
      counters: { timedOut: 1, nacked: 0 },
    });
    expect(codeThrownBy(() => broker.ack('a', receipt))).toBe('EVALUATION_NOT_IN_FLIGHT');
    expect(codeThrownBy(() => broker.extend('a', receipt))).toBe('EVALUATION_NOT_IN_FLIGHT');
    clock.advance(100);
    expect((await takeIfReady())?.deliveries).toBe(2);
  });

  it('starts the visibility timeout anew when extended', async () => {
    const { broker, clock, take, stats } = brokerScene();
    broker.enqueue(evaluation('a'));
    const { receipt } = await take();
    for (let times = 0; times < 3; times += 1) {
      clock.advance(4999);
      broker.extend('a', receipt);
    }
    clock.advance(4999);
    expect(stats().total['in-flight']).toBe(1);
    clock.advance(1);
    expect(stats().total['in-flight']).toBe(0);
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
    const { broker, clock, take, drain, deadLetters } = brokerScene();
    broker.enqueue(evaluation('poison', { jobId: 'job' }));
    for (const delayMs of [100, 1000]) {
      broker.nack('poison', (await take()).receipt);
      clock.advance(delayMs);
    }
    const last = await take();
    expect(last.deliveries).toBe(3);
    broker.enqueue(evaluation('next', { jobId: 'job' }));
    expect(deadLetters).toEqual([]);
    broker.nack('poison', last.receipt);

    expect(deadLetters).toEqual(['poison']);
    expect(await drain()).toEqual(['next']);
    broker.enqueue(evaluation('poison', { jobId: 'job' }));
    expect((await take()).deliveries).toBe(1);
  });

  it('wakes a waiting dequeuer with the next of the job', async () => {
    const { broker, enqueueAll, take } = brokerScene({ maxDeliveries: 1 });
    enqueueAll([evaluation('poison', { jobId: 'job' }), evaluation('next', { jobId: 'job' })]);
    const { receipt } = await take();
    const waiting = broker.dequeue(['batch'], 0);
    broker.nack('poison', receipt);
    expect((await waiting)?.evaluation.id).toBe('next');
  });

  it('counts deliveries that ran out of time', async () => {
    const { broker, clock, take, deadLetters, stats } = brokerScene({ maxDeliveries: 1 });
    broker.enqueue(evaluation('a'));
    await take();
    clock.advance(5000);
    expect(deadLetters).toEqual(['a']);
    expect(stats().counters).toMatchObject({ timedOut: 1, deadLettered: 1 });
  });

  it('accepts an ack of the very last delivery', async () => {
    const { broker, clock, take, deadLetters, stats } = brokerScene({ maxDeliveries: 2 });
    broker.enqueue(evaluation('a'));
    broker.nack('a', (await take()).receipt);
    clock.advance(100);
    broker.ack('a', (await take()).receipt);
    expect(deadLetters).toEqual([]);
    expect(stats().counters).toMatchObject({ acked: 1, deadLettered: 0 });
  });
});
