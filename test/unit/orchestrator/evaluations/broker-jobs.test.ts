import { describe, expect, it } from 'vitest';
import { brokerScene, evaluation } from './broker-scene.ts';

const JOB = { jobId: 'job' };

describe('one evaluation of a job at a time', () => {
  it('holds the next one until the ack, ready or in flight', async () => {
    const { broker, enqueueAll, take, takeIfReady, stats } = brokerScene();
    enqueueAll([evaluation('a', JOB), evaluation('b', { ...JOB, priority: 99 })]);
    const first = await take();
    expect(first.evaluation.id).toBe('a');
    expect(await takeIfReady()).toBeUndefined();
    expect(stats().total.pending).toBe(1);
    broker.ack('a', first.receipt);
    expect((await take()).evaluation.id).toBe('b');
  });

  it('keeps jobs independent of each other', async () => {
    const { enqueueAll, take } = brokerScene();
    enqueueAll([evaluation('a', { jobId: 'one' }), evaluation('b', { jobId: 'two' })]);
    expect((await take()).evaluation.id).toBe('a');
    expect((await take()).evaluation.id).toBe('b');
  });

  it('goes on with the best pending one: priority, then newest, then last to come', async () => {
    const { broker, enqueueAll, take, stats } = brokerScene();
    broker.enqueue(evaluation('running', JOB));
    const running = await take();
    enqueueAll([
      evaluation('old', { ...JOB, createdAt: 1001 }),
      evaluation('newest but low', { ...JOB, createdAt: 9000, priority: 1 }),
      evaluation('new', { ...JOB, createdAt: 1002 }),
      evaluation('new and last', { ...JOB, createdAt: 1002 }),
      evaluation('older', { ...JOB, createdAt: 1000 }),
    ]);
    broker.ack('running', running.receipt);
    expect((await take()).evaluation.id).toBe('new and last');
    expect(stats()).toMatchObject({ total: { pending: 0 }, counters: { superseded: 4 } });
  });

  it('wakes a waiting dequeuer with the promoted one', async () => {
    const { broker, enqueueAll, take } = brokerScene();
    enqueueAll([evaluation('a', JOB), evaluation('b', JOB)]);
    const { receipt } = await take();
    const waiting = broker.dequeue(['batch'], 0);
    broker.ack('a', receipt);
    expect((await waiting)?.evaluation.id).toBe('b');
  });
});

describe('needless evaluations', () => {
  it('are gone and counted, take no room, and may come again', async () => {
    const { enqueueAll, drain, stats } = brokerScene({ maxEvaluations: 4 });
    enqueueAll(['a', 'b', 'c', 'd'].map((id) => evaluation(id, JOB)));
    expect(await drain()).toEqual(['a', 'd']);
    expect(stats()).toMatchObject({ total: { pending: 0 }, counters: { superseded: 2 } });
    enqueueAll(['b', 'e', 'f', 'g'].map((id) => evaluation(id)));
    expect(await drain()).toEqual(['b', 'e', 'f', 'g']);
  });

  it('go early when one job floods the broker', async () => {
    const { broker, take, stats } = brokerScene({ maxWaitingPerJob: 2 });
    broker.enqueue(evaluation('running', JOB));
    const { receipt } = await take();
    for (let index = 0; index < 10; index += 1) {
      broker.enqueue(evaluation(`${index}`, { ...JOB, createdAt: 2000 + index }));
    }
    expect(stats()).toMatchObject({ total: { pending: 2 }, counters: { superseded: 8 } });
    broker.ack('running', receipt);
    expect((await take()).evaluation.id).toBe('9');
  });
});

describe('delayed evaluations', () => {
  it('come when they are due and not before, the earliest first', async () => {
    const { enqueueAll, clock, takeIfReady } = brokerScene();
    const now = clock.nowMs();
    enqueueAll([
      evaluation('second', { waitUntil: now + 2000 }),
      evaluation('first', { waitUntil: now + 1000 }),
      evaluation('due', { waitUntil: now, priority: 1 }),
    ]);
    expect((await takeIfReady())?.evaluation.id).toBe('due');
    clock.advance(999);
    expect(await takeIfReady()).toBeUndefined();
    clock.advance(1);
    expect((await takeIfReady())?.evaluation.id).toBe('first');
    clock.advance(999);
    expect(await takeIfReady()).toBeUndefined();
    clock.advance(1);
    expect((await takeIfReady())?.evaluation.id).toBe('second');
  });

  it('wake a waiting dequeuer, the best of those that are due together first', async () => {
    const { broker, enqueueAll, clock } = brokerScene();
    const waitUntil = clock.nowMs() + 90_000;
    const waiting = broker.dequeue(['batch'], 0);
    enqueueAll([
      evaluation('low', { waitUntil, priority: 1 }),
      evaluation('high', { waitUntil, priority: 2 }),
    ]);
    clock.advance(90_000);
    expect((await waiting)?.evaluation.id).toBe('high');
  });

  it.each([3_600_000, -3_600_000])('do not notice when the wall clock is set by %i ms', async (byMs) => {
    const { broker, clock, drain } = brokerScene();
    broker.enqueue(evaluation('soon', { waitUntil: clock.livedMs() + 90_000 }));
    clock.jumpWall(byMs);
    clock.advance(89_999);
    expect(await drain()).toEqual([]);
    clock.advance(1);
    expect(await drain()).toEqual(['soon']);
  });

  it('do not hold up their job, and wait for their turn like others when they are due', async () => {
    const { broker, enqueueAll, clock, take, takeIfReady, stats } = brokerScene();
    enqueueAll([evaluation('delayed', { ...JOB, waitUntil: clock.nowMs() + 1000 }), evaluation('now', JOB)]);
    const { receipt, evaluation: taken } = await take();
    expect(taken.id).toBe('now');
    clock.advance(1000);
    expect(await takeIfReady()).toBeUndefined();
    expect(stats().total).toMatchObject({ delayed: 0, pending: 1 });
    broker.ack('now', receipt);
    expect((await take()).evaluation.id).toBe('delayed');
  });

  it('are kept by an ack, each for its own time', async () => {
    const { enqueueAll, clock, drain, stats } = brokerScene();
    const now = clock.nowMs();
    enqueueAll([
      evaluation('now', JOB),
      evaluation('soon', { ...JOB, waitUntil: now + 1000 }),
      evaluation('late', { ...JOB, waitUntil: now + 2000 }),
    ]);
    expect(await drain()).toEqual(['now']);
    clock.advance(1000);
    expect(await drain()).toEqual(['soon']);
    clock.advance(1000);
    expect(await drain()).toEqual(['late']);
    expect(stats().counters.superseded).toBe(0);
  });

  it('of one job collapse when they wait for the same time, whichever comes first', async () => {
    const { enqueueAll, clock, drain, stats } = brokerScene();
    const waits = { ...JOB, waitUntil: clock.nowMs() + 1000 };
    enqueueAll([
      evaluation('weak', { ...waits, priority: 10 }),
      evaluation('strong', { ...waits, priority: 90 }),
      evaluation('weak too', { ...waits, priority: 10 }),
    ]);
    expect(stats()).toMatchObject({ total: { delayed: 1 }, counters: { superseded: 2 } });
    clock.advance(1000);
    expect(await drain()).toEqual(['strong']);
  });

  it('of one job are bounded: the last to be due makes room', async () => {
    const { broker, clock, drain, stats } = brokerScene({ maxWaitingPerJob: 2 });
    const now = clock.nowMs();
    for (const delayMs of [3000, 1000, 5000, 2000]) {
      broker.enqueue(evaluation(`${delayMs}`, { ...JOB, waitUntil: now + delayMs }));
    }
    expect(stats()).toMatchObject({ total: { delayed: 2 }, counters: { superseded: 2 } });
    clock.advance(1000);
    expect(await drain()).toEqual(['1000']);
    clock.advance(4000);
    expect(await drain()).toEqual(['2000']);
  });

  it('that were dropped do not come when their id is there again for another time', async () => {
    const { broker, clock, drain } = brokerScene();
    broker.enqueue(evaluation('a', { ...JOB, waitUntil: clock.nowMs() + 1000 }));
    broker.forgetJob('job');
    broker.enqueue(evaluation('a', { ...JOB, waitUntil: clock.nowMs() + 2000 }));
    clock.advance(1000);
    expect(await drain()).toEqual([]);
    clock.advance(1000);
    expect(await drain()).toEqual(['a']);
  });

  it('come at their time also after very many were taken back', async () => {
    const { broker, clock, drain, stats } = brokerScene();
    const now = clock.nowMs();
    broker.enqueue(evaluation('kept', { waitUntil: now + 700 }));
    for (let index = 0; index < 1000; index += 1) {
      broker.enqueue(evaluation(`${index}`, { jobId: `${index}`, waitUntil: now + 500 + index }));
      broker.forgetJob(`${index}`);
    }
    expect(stats()).toMatchObject({ total: { delayed: 1 }, counters: { superseded: 1000 } });
    clock.advance(699);
    expect(await drain()).toEqual([]);
    clock.advance(1);
    expect(await drain()).toEqual(['kept']);
    clock.advance(3000);
    expect(clock.timers).toBe(0);
  });
});

describe('a job that is over', () => {
  it('leaves nothing behind in the queue of delayed ones when there are many of its kind', () => {
    const { broker, clock } = brokerScene();
    const jobs = Array.from({ length: 128 }, (_, index) => `${index}`);
    for (const jobId of jobs) broker.enqueue(evaluation(jobId, { jobId, waitUntil: clock.nowMs() + 1000 }));
    expect(clock.timers).toBe(1);
    for (const jobId of jobs) broker.forgetJob(jobId);
    expect(clock.timers).toBe(0);
  });

  it('needs no more evaluations, but keeps the one that is on its way', async () => {
    const { broker, enqueueAll, clock, take, takeIfReady, stats } = brokerScene();
    enqueueAll([
      evaluation('running', JOB),
      evaluation('pending', JOB),
      evaluation('delayed', { ...JOB, waitUntil: clock.nowMs() + 1000 }),
      evaluation('of another job', { priority: 1 }),
    ]);
    const { receipt } = await take();
    broker.forgetJob('job');
    broker.forgetJob('a job it never heard of');
    expect(stats().total).toMatchObject({ 'in-flight': 1, ready: 1, pending: 0, delayed: 0 });
    expect(stats().counters.superseded).toBe(2);
    broker.ack('running', receipt);
    clock.advance(1000);
    expect((await takeIfReady())?.evaluation.id).toBe('of another job');
    expect(await takeIfReady()).toBeUndefined();
  });
});

describe('statistics', () => {
  it('count by state and by type', async () => {
    const { enqueueAll, clock, take, stats } = brokerScene();
    enqueueAll([
      evaluation('a', { type: 'service', priority: 90 }),
      evaluation('b', { type: 'service' }),
      evaluation('c', { type: 'ops', waitUntil: clock.nowMs() + 1000 }),
    ]);
    await take();
    const { byType, total } = stats();
    expect(byType.service).toMatchObject({ ready: 1, 'in-flight': 1 });
    expect(byType.ops).toMatchObject({ delayed: 1 });
    expect(byType.batch).toMatchObject({ ready: 0 });
    expect(total).toMatchObject({ ready: 1, 'in-flight': 1, delayed: 1 });
  });
});
