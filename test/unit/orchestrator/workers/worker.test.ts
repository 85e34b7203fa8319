import { describe, expect, it } from 'vitest';
import { CodedError } from '../../../../src/lib/coded-error.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { type Scheduler, createWorker } from '../../../../src/orchestrator/workers/worker.ts';
import { brokerScene, evaluation } from '../evaluations/broker-scene.ts';
import { settle } from '../evaluations/fake-clock.ts';
import { WORKER_OPTIONS, gate, workerScene } from '../evaluations/worker-scene.ts';

describe('a worker', () => {
  it('gives each evaluation to the scheduler of its type and acks it', async () => {
    const scene = brokerScene();
    const seen: string[] = [];
    const worker = createWorker(WORKER_OPTIONS, {
      broker: scene.broker,
      schedulers: (type) => async (given) => {
        seen.push(`${type} ${given.id}`);
      },
      clock: scene.clock,
      chance: () => 0,
      logger: silentLogger,
    });
    scene.broker.enqueue(evaluation('a'));
    scene.broker.enqueue(evaluation('b', { type: 'ops', priority: 99 }));
    await worker.start();
    await settle();
    scene.broker.enqueue(evaluation('c', { type: 'daemon' }));
    await settle();
    expect(seen).toEqual(['ops b', 'batch a', 'daemon c']);
    expect(worker.counters()).toEqual({ processed: 3, failures: 0, brokerErrors: 0 });
    expect(scene.stats().counters).toMatchObject({ acked: 3, nacked: 0 });
    await worker.stop();
    expect(scene.clock.timers).toBe(0);
  });

  it('takes only the types it was told to', async () => {
    const { worker, enqueueAll, scheduled } = workerScene(async () => {}, { types: ['service'] });
    enqueueAll([evaluation('a'), evaluation('b', { type: 'service' })]);
    await worker.start();
    await settle();
    expect(scheduled.map(({ id }) => id)).toEqual(['b']);
    await worker.stop();
  });

  it.each<readonly [string, Scheduler]>([
    ['rejects', () => Promise.reject(new Error('no'))],
    [
      'throws',
      () => {
        throw new CodedError('NO', 'no');
      },
    ],
  ])('nacks when the scheduler %s, and goes on', async (_, scheduler) => {
    let works = false;
    const { worker, broker, clock, stats } = workerScene((...args) =>
      works ? Promise.resolve() : scheduler(...args),
    );
    broker.enqueue(evaluation('a'));
    await worker.start();
    await settle();
    expect(worker.counters()).toEqual({ processed: 0, failures: 1, brokerErrors: 0 });
    expect(stats()).toMatchObject({ total: { 'held-back': 1 }, counters: { nacked: 1 } });
    works = true;
    await clock.run(100);
    expect(worker.counters()).toEqual({ processed: 1, failures: 1, brokerErrors: 0 });
    await worker.stop();
  });

  it('nacks where there is no scheduler for the type', async () => {
    const { worker, broker, stats } = workerScene(undefined);
    broker.enqueue(evaluation('a'));
    await worker.start();
    await settle();
    expect(worker.counters().failures).toBe(1);
    expect(stats().counters.nacked).toBe(1);
    await worker.stop();
  });

  it('goes on asking when there is nothing to do', async () => {
    let dequeues = 0;
    const scene = workerScene(
      async () => {},
      {},
      {
        dequeue: (...args) => {
          dequeues += 1;
          return scene.broker.dequeue(...args);
        },
      },
    );
    await scene.worker.start();
    await scene.clock.run(15_000);
    expect(dequeues).toBe(4);
    scene.broker.enqueue(evaluation('a'));
    await settle();
    expect(scene.worker.counters()).toEqual({ processed: 1, failures: 0, brokerErrors: 0 });
    await scene.worker.stop();
  });

  it('works through very many', async () => {
    const { worker, enqueueAll, scheduled } = workerScene(async () => {}, { concurrency: 4 });
    await worker.start();
    enqueueAll(Array.from({ length: 2000 }, (_, index) => evaluation(`${index}`)));
    await settle();
    expect(worker.counters().processed).toBe(2000);
    expect(new Set(scheduled).size).toBe(2000);
    await worker.stop();
  });

  it('has as many in hand as it may, and never two of a job', async () => {
    const gates = new Map<string, () => void>();
    const { worker, enqueueAll } = workerScene(
      ({ id }) => new Promise((resolve) => void gates.set(id, resolve)),
      { concurrency: 3 },
    );
    enqueueAll([
      evaluation('a', { jobId: 'same' }),
      evaluation('b', { jobId: 'same' }),
      ...['c', 'd', 'e'].map((id) => evaluation(id)),
    ]);
    await worker.start();
    await settle();
    expect([...gates.keys()]).toEqual(['a', 'c', 'd']);
    gates.get('a')?.();
    await settle();
    expect([...gates.keys()]).toEqual(['a', 'c', 'd', 'b']);
    for (const open of gates.values()) open();
    await settle();
    gates.get('e')?.();
    await worker.stop();
    expect(worker.counters().processed).toBe(5);
  });

  it('shares one stop signal among very many loops without a complaint', async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error): void => void warnings.push(warning);
    process.on('warning', listen);
    const { worker } = workerScene(async () => {}, { concurrency: 100 });
    await worker.start();
    await settle();
    await worker.stop();
    process.off('warning', listen);
    expect(warnings).toEqual([]);
  });
});

describe('long work', () => {
  it('stays in flight beyond the visibility timeout', async () => {
    const { scheduler, open } = gate();
    const { worker, broker, clock, stats } = workerScene(scheduler);
    broker.enqueue(evaluation('a'));
    await worker.start();
    await clock.run(18_000);
    expect(stats()).toMatchObject({ total: { 'in-flight': 1 }, counters: { timedOut: 0 } });
    open();
    await settle();
    expect(worker.counters()).toEqual({ processed: 1, failures: 0, brokerErrors: 0 });
    await worker.stop();
  });

  it('is given up when it never ends, and the worker goes on', async () => {
    const { scheduler } = gate();
    const { worker, broker, clock, scheduled, stats } = workerScene((given) =>
      given.id === 'endless' ? scheduler(given) : Promise.resolve(),
    );
    broker.enqueue(evaluation('endless'));
    await worker.start();
    await settle();
    broker.enqueue(evaluation('next'));
    await clock.run(20_000);
    expect(scheduled.map(({ id }) => id)).toEqual(['endless', 'next']);
    expect(worker.counters()).toEqual({ processed: 1, failures: 1, brokerErrors: 0 });
    expect(stats().counters.nacked).toBe(1);
    await worker.stop();
  });

  it('counts as failed when the delivery was lost meanwhile', async () => {
    const { scheduler, open } = gate();
    const { worker, broker, clock, stats } = workerScene(scheduler, { extendEveryMs: 6000 });
    broker.enqueue(evaluation('a'));
    await worker.start();
    await clock.run(5050);
    expect(stats().counters.timedOut).toBe(1);
    open();
    await settle();
    expect(worker.counters()).toEqual({ processed: 0, failures: 1, brokerErrors: 0 });
    await worker.stop();
  });
});
