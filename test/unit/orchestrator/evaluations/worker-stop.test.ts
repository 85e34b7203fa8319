import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../../../src/orchestrator/evaluations/broker-contract.ts';
import { evaluation } from './broker-scene.ts';
import { settle } from './fake-clock.ts';
import { gate, workerScene } from './worker-scene.ts';

describe('stopping', () => {
  it('ends a wait for work at once', async () => {
    const { worker, clock, stats } = workerScene(async () => {});
    await worker.start();
    await settle();
    expect(stats().waitingDequeuers).toBe(1);
    await worker.stop();
    expect(stats().waitingDequeuers).toBe(0);
    expect(clock.timers).toBe(0);
    expect(worker.counters().brokerErrors).toBe(0);
  });

  it('lets work in hand finish, and takes nothing new', async () => {
    const { scheduler, open } = gate();
    const { worker, clock, scheduled, stats, enqueueAll } = workerScene(scheduler);
    enqueueAll([evaluation('a'), evaluation('b')]);
    await worker.start();
    await settle();
    const stopped = worker.stop();
    await clock.run(4000);
    open();
    await stopped;
    expect(scheduled.map(({ id }) => id)).toEqual(['a']);
    expect(stats()).toMatchObject({ total: { ready: 1 }, counters: { acked: 1, nacked: 0 } });
  });

  it('nacks work that does not finish in time', async () => {
    const { scheduler, open } = gate();
    const { worker, broker, clock, stats } = workerScene(scheduler);
    broker.enqueue(evaluation('a'));
    await worker.start();
    await settle();
    const stopped = Promise.all([worker.stop(), worker.stop()]);
    await clock.run(5000);
    await stopped;
    open();
    await settle();
    expect(worker.counters()).toEqual({ processed: 0, failures: 1, brokerErrors: 0 });
    expect(stats().counters).toMatchObject({ acked: 0, nacked: 1 });
  });

  it('nacks a delivery that comes in while it stops', async () => {
    const { promise, resolve } = Promise.withResolvers<Delivery | undefined>();
    const nacked: string[] = [];
    const { worker, scheduled } = workerScene(
      async () => {},
      {},
      {
        dequeue: () => promise,
        nack: (id) => void nacked.push(id),
      },
    );
    await worker.start();
    const stopped = worker.stop();
    resolve({ evaluation: evaluation('a'), receipt: 'r', deliveries: 1 });
    await stopped;
    expect(scheduled).toEqual([]);
    expect(nacked).toEqual(['a']);
  });

  it('may be repeated, and followed by another start', async () => {
    const { worker, broker } = workerScene(async () => {});
    await worker.stop();
    await worker.start();
    await worker.stop();
    await worker.stop();
    await worker.start();
    broker.enqueue(evaluation('a'));
    await settle();
    expect(worker.counters().processed).toBe(1);
    await worker.stop();
  });

  it('refuses a second start', async () => {
    const { worker } = workerScene(async () => {});
    await worker.start();
    await expect(worker.start()).rejects.toMatchObject({ code: 'ASSERTION' });
    await worker.stop();
  });
});

describe('a broker that fails', () => {
  it('is asked again after a growing wait, which starts over when it works', async () => {
    const { worker, broker, clock } = workerScene(async () => {});
    broker.setEnabled(false);
    await worker.start();
    await clock.run(999);
    expect(worker.counters().brokerErrors).toBe(1);
    await clock.run(1);
    expect(worker.counters().brokerErrors).toBe(2);
    await clock.run(1999);
    expect(worker.counters().brokerErrors).toBe(2);
    await clock.run(1 + 4000 + 8000 + 16_000 + 30_000);
    expect(worker.counters().brokerErrors).toBe(7);

    broker.setEnabled(true);
    broker.enqueue(evaluation('a'));
    await clock.run(30_000);
    expect(worker.counters().processed).toBe(1);
    broker.setEnabled(false);
    await clock.run(1000);
    expect(worker.counters().brokerErrors).toBe(9);
    await worker.stop();
  });

  it('does not hold up a stop', async () => {
    const { worker, broker, clock } = workerScene(async () => {});
    broker.setEnabled(false);
    await worker.start();
    await settle();
    expect(clock.timers).toBe(1);
    await worker.stop();
    expect(clock.timers).toBe(0);
  });

  it('does not end the worker when it cannot settle', async () => {
    const { worker, scheduled, enqueueAll } = workerScene(
      ({ id }) => (id === 'fails' ? Promise.reject(new Error('no')) : Promise.resolve()),
      {},
      {
        ack: () => {
          throw new Error('broken');
        },
        nack: () => {
          throw new Error('broken');
        },
      },
    );
    enqueueAll([evaluation('fails'), evaluation('a'), evaluation('b')]);
    await worker.start();
    await settle();
    expect(scheduled.map(({ id }) => id)).toEqual(['fails', 'a', 'b']);
    expect(worker.counters()).toEqual({ processed: 0, failures: 3, brokerErrors: 0 });
    await worker.stop();
  });
});
