import { describe, expect, it } from 'vitest';
import { ALL_TYPES, brokerScene, codeThrownBy, evaluation } from './broker-scene.ts';

describe('hand-over', () => {
  it('gives an evaluation out, again after a nack, and never after an ack', async () => {
    const { broker, clock, take, takeIfReady, stats } = brokerScene();
    broker.enqueue(evaluation('a'));

    const first = await take();
    expect(first).toMatchObject({ evaluation: { id: 'a' }, deliveries: 1 });
    expect(await takeIfReady()).toBeUndefined();

    broker.nack('a', first.receipt);
    clock.advance(100);
    const second = await take();
    expect(second.deliveries).toBe(2);
    expect(second.receipt).not.toBe(first.receipt);

    broker.ack('a', second.receipt);
    clock.advance(3_600_000);
    expect(await takeIfReady()).toBeUndefined();
    expect(Object.values(stats().total).every((count) => count === 0)).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it('ignores an id that it holds, whatever its state, and takes it anew when it is done', async () => {
    const { broker, enqueueAll, take, drain, stats } = brokerScene();
    broker.enqueue(evaluation('a'));
    broker.enqueue(evaluation('a', { priority: 99 }));
    enqueueAll([evaluation('b'), evaluation('b')]);
    const { receipt, evaluation: taken } = await take();
    expect(taken.priority).toBe(50);
    broker.enqueue(evaluation('a'));
    expect(stats().total).toMatchObject({ ready: 1, 'in-flight': 1, pending: 0 });

    broker.ack('a', receipt);
    broker.enqueue(evaluation('a'));
    expect(await drain()).toEqual(['b', 'a']);
  });

  it('takes the highest priority over all asked types, heads of heaps included', async () => {
    const { enqueueAll, drain } = brokerScene();
    enqueueAll([
      evaluation('batch 10', { priority: 10 }),
      evaluation('service 90', { type: 'service', priority: 90 }),
      evaluation('batch 80', { priority: 80 }),
      evaluation('service 20', { type: 'service', priority: 20 }),
      evaluation('batch 30', { priority: 30 }),
      evaluation('service 5', { type: 'service', priority: 5 }),
      evaluation('ops 100', { type: 'ops', priority: 100 }),
    ]);
    expect(await drain(['batch', 'service'])).toEqual([
      'service 90',
      'batch 80',
      'batch 30',
      'service 20',
      'batch 10',
      'service 5',
    ]);
    expect(await drain(['ops'])).toEqual(['ops 100']);
  });

  it('goes by age, then by arrival, where priorities are equal', async () => {
    const { broker, drain } = brokerScene();
    broker.enqueue(evaluation('young', { createdAt: 2000 }));
    broker.enqueue(evaluation('old', { createdAt: 1000 }));
    broker.enqueue(evaluation('old too', { createdAt: 1000 }));
    expect(await drain()).toEqual(['old', 'old too', 'young']);
  });

  it('lets no type starve another one of the same priority', async () => {
    const { broker, drain } = brokerScene();
    for (let index = 0; index < 40; index += 1) {
      broker.enqueue(
        evaluation(`${index}`, { type: index % 2 === 0 ? 'batch' : 'daemon', createdAt: 1000 + index }),
      );
    }
    expect(await drain()).toEqual(Array.from({ length: 40 }, (_, index) => `${index}`));
  });

  it('leaves alone what is not of the asked types', async () => {
    const { broker, takeIfReady } = brokerScene();
    broker.enqueue(evaluation('a', { type: 'service' }));
    expect(await takeIfReady(['batch', 'ops'])).toBeUndefined();
    expect(await takeIfReady(['ops', 'service'])).toBeDefined();
  });
});

describe('waiting dequeuers', () => {
  it('ends with nothing after the timeout, and without a timer left', async () => {
    const { broker, clock, stats } = brokerScene();
    const waiting = broker.dequeue(ALL_TYPES, 250);
    clock.advance(249);
    expect(stats().waitingDequeuers).toBe(1);
    clock.advance(1);
    expect(await waiting).toBeUndefined();
    expect(stats().waitingDequeuers).toBe(0);
  });

  it('waits without end when told so', async () => {
    const { broker, clock } = brokerScene();
    const waiting = broker.dequeue(ALL_TYPES, 0);
    clock.advance(365 * 86_400_000);
    broker.enqueue(evaluation('a'));
    expect((await waiting)?.evaluation.id).toBe('a');
  });

  it('is woken at once, no timer in between, and its timeout is gone', async () => {
    const { broker, clock, stats } = brokerScene();
    const waiting = broker.dequeue(ALL_TYPES, 250);
    broker.enqueue(evaluation('a'));
    expect((await waiting)?.evaluation.id).toBe('a');
    expect(clock.timers).toBe(1);
    expect(stats()).toMatchObject({ waitingDequeuers: 0, total: { 'in-flight': 1 } });
  });

  it('gets the first to come, the longest waiting first and only its own types', async () => {
    const { broker, enqueueAll, stats } = brokerScene();
    const services = broker.dequeue(['service'], 0);
    const first = broker.dequeue(['batch'], 0);
    const second = broker.dequeue(ALL_TYPES, 0);
    enqueueAll([
      evaluation('low', { priority: 1 }),
      evaluation('high', { priority: 99 }),
      evaluation('middle', { priority: 50 }),
    ]);
    expect((await first)?.evaluation.id).toBe('low');
    expect((await second)?.evaluation.id).toBe('high');
    expect(stats().waitingDequeuers).toBe(1);
    broker.enqueue(evaluation('s', { type: 'service' }));
    expect((await services)?.evaluation.id).toBe('s');
  });

  it('ends with the reason of its signal', async () => {
    const { broker, stats } = brokerScene();
    const stop = new AbortController();
    const waiting = broker.dequeue(ALL_TYPES, 0, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(broker.dequeue(ALL_TYPES, 0, stop.signal)).rejects.toThrow('enough');
    broker.enqueue(evaluation('a'));
    expect(stats().total).toMatchObject({ ready: 1, 'in-flight': 0 });
  });
});

describe('enabled or not', () => {
  it('takes nothing in and gives nothing out while disabled', async () => {
    const { broker, takeIfReady } = brokerScene();
    broker.setEnabled(false);
    broker.enqueue(evaluation('a'));
    await expect(broker.dequeue(ALL_TYPES, 0)).rejects.toMatchObject({ code: 'BROKER_DISABLED' });
    broker.setEnabled(true);
    expect(await takeIfReady()).toBeUndefined();
  });

  it('forgets everything when disabled: ready, in flight, held back, pending and delayed', async () => {
    const { broker, clock, enqueueAll, take, takeIfReady, stats } = brokerScene();
    broker.enqueue(evaluation('held back', { priority: 98 }));
    broker.nack('held back', (await take()).receipt);
    broker.enqueue(evaluation('in flight', { jobId: 'busy', priority: 97 }));
    const inFlight = await take();
    enqueueAll([
      evaluation('pending', { jobId: 'busy' }),
      evaluation('ready'),
      evaluation('delayed', { waitUntil: clock.nowMs() + 10_000 }),
    ]);
    expect(stats().total).toEqual({
      'held-back': 1,
      'in-flight': 1,
      pending: 1,
      ready: 1,
      delayed: 1,
    });

    broker.setEnabled(false);
    expect(clock.timers).toBe(0);
    broker.setEnabled(true);
    clock.advance(3_600_000);
    expect(Object.values(stats().total).every((count) => count === 0)).toBe(true);
    expect(await takeIfReady()).toBeUndefined();
    expect(codeThrownBy(() => broker.ack('in flight', inFlight.receipt))).toBe('EVALUATION_NOT_IN_FLIGHT');
    broker.enqueue(evaluation('pending', { jobId: 'busy' }));
    expect(stats().total.ready).toBe(1);
  });

  it('wakes those that wait', async () => {
    const { broker, clock } = brokerScene();
    const waiting = [broker.dequeue(['batch'], 0), broker.dequeue(['ops'], 1000)];
    broker.setEnabled(false);
    for (const dequeue of waiting) await expect(dequeue).rejects.toMatchObject({ code: 'BROKER_DISABLED' });
    expect(clock.timers).toBe(0);
  });
});

describe('room', () => {
  it('refuses what is too much, and nothing that it holds already', async () => {
    const { broker, enqueueAll, drain } = brokerScene({ maxEvaluations: 3 });
    enqueueAll([evaluation('a'), evaluation('b'), evaluation('a'), evaluation('c')]);
    expect(codeThrownBy(() => broker.enqueue(evaluation('d')))).toBe('BROKER_FULL');
    broker.enqueue(evaluation('c'));
    expect(await drain()).toEqual(['a', 'b', 'c']);
    broker.enqueue(evaluation('d'));
    expect(await drain()).toEqual(['d']);
  });
});
