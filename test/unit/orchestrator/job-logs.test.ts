import { beforeEach, describe, expect, it } from 'vitest';
import type { Execution, Observed } from '../../../src/domain/market/execution.ts';
import type { JobSnapshot } from '../../../src/domain/job/plan.ts';
import type { JobLogsOptions, LogPart } from '../../../src/orchestrator/index.ts';
import { readJobLogs } from '../../../src/orchestrator/job-logs.ts';
import { resultsOf } from '../../../src/orchestrator/job-results.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';
import { contractOf, executionOf, jobOf, observedAs } from '../fakes/market.ts';

let clock: FakeClock;
let snapshot: JobSnapshot | undefined;
let listeners: Set<() => void>;
let live: (contractId: string, offset: number, signal: AbortSignal) => AsyncIterable<Uint8Array>;
let stored: Map<string, string>;
let reads: string[];
let stopping: AbortController;

beforeEach(() => {
  clock = new FakeClock();
  snapshot = undefined;
  listeners = new Set();
  live = async function* () {};
  stored = new Map();
  reads = [];
  stopping = new AbortController();
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function becomes(state: JobSnapshot['job']['state'], executions: readonly Execution[] = []): void {
  snapshot = { job: jobOf({ state }), executions, revision: 1 };
  for (const listener of listeners) listener();
}

const attempt = (observed: Observed, number = 1): Execution => executionOf(0, number, 'a', observed);
const resulting = (observed: Observed, resultCid: string): Observed =>
  ({ ...observed, resultCid }) as Observed;

/** It had printed when it ended. */
const began = (observed: Observed): Observed => ({ ...observed, startedAt: 1 }) as Observed;

/** What has come so far, and whether it is over. */
function follow(options: Partial<JobLogsOptions> = {}) {
  const seen = { text: '', over: false, error: undefined as unknown, marks: [] as LogPart[] };
  const logs = readJobLogs(
    'job',
    { stream: 'stdout', from: 0, follow: true, ...options },
    {
      clock,
      store: {
        snapshot: async () => snapshot,
        contract: async (contractId) => contractOf(contractId),
        watch: (_jobId, listener) => {
          const wake = (): void => listener([]);
          listeners.add(wake);
          return () => void listeners.delete(wake);
        },
      },
      live: {
        read: (_provider, _record, contractId, _stream, offset, _follow, signal) => {
          reads.push(`${contractId} from ${offset}`);
          return live(contractId, offset, signal);
        },
      },
      files: {
        open: async (cid, path) => {
          const text = stored.get(`${cid}/${path}`);
          return text === undefined
            ? undefined
            : {
                size: text.length,
                bytes: (async function* () {
                  for (const letter of text) yield bytes(letter);
                })(),
              };
        },
      },
    },
    stopping.signal,
  );
  void (async () => {
    try {
      for await (const part of logs) {
        if (part.kind === 'output') seen.text += new TextDecoder().decode(part.bytes);
        else seen.marks.push(part);
      }
    } catch (error) {
      seen.error = error;
    }
    seen.over = true;
  })();
  return seen;
}

describe('the output of a job', () => {
  it('begins before the job does, comes live, and ends with the result', async () => {
    becomes('Pending');
    const seen = follow();
    await clock.settle();
    expect(seen).toMatchObject({ text: '', over: false });

    live = async function* () {
      yield bytes('one ');
    };
    becomes('Running', [attempt(observedAs.running())]);
    await clock.settle();
    expect(seen.text).toBe('one ');

    stored.set('result/stdout', 'one two');
    becomes('Running', [attempt(resulting(observedAs.completed(), 'result'))]);
    await clock.settle();
    expect(seen).toMatchObject({ text: 'one two', over: true });
    expect(listeners.size).toBe(0);
  });

  it('goes on from where it was when the live stream breaks off', async () => {
    live = async function* (_contractId, offset) {
      if (offset === 0) {
        yield bytes('abc');
        throw new Error('broken');
      }
      yield bytes('def');
    };
    becomes('Running', [attempt(observedAs.running())]);
    const seen = follow();
    await clock.settle();
    expect(seen.text).toBe('abc');
    await clock.advanceBy(1000);
    expect(seen.text).toBe('abcdef');
    expect(reads).toEqual(['contract from 0', 'contract from 3']);
  });

  it('of one attempt ends with it, although the job goes on', async () => {
    stored.set('first/stdout', 'failed');
    becomes('Running', [attempt(resulting(observedAs.failed('exit-code', 'contract'), 'first'))]);
    expect(await settled(follow())).toMatchObject({
      text: 'failed',
      over: true,
      marks: [
        { kind: 'attempt', attempt: 1 },
        { kind: 'end', exitReason: 'exit-code', jobState: 'Running' },
      ],
    });
  });

  it('of a new attempt is read from its start, and says where it begins', async () => {
    stored.set('first/stdout', 'failed');
    becomes('Running', [attempt(resulting(observedAs.failed('lost', 'contract'), 'first'))]);
    const seen = follow({ onwards: true });
    await clock.settle();
    expect(seen).toMatchObject({ text: 'failed', over: false });
    stored.set('second/stdout', '!');
    becomes('Completed', [
      attempt(resulting(observedAs.failed('lost', 'contract'), 'first')),
      attempt(resulting(observedAs.completed(), 'second'), 2),
    ]);
    await clock.settle();
    expect(seen).toMatchObject({ text: 'failed!', over: true });
    expect(seen.marks).toMatchObject([
      { kind: 'attempt', executionId: 'job.v1.p0r0.a1', offset: 0 },
      { kind: 'attempt', executionId: 'job.v1.p0r0.a2', offset: 0 },
      { kind: 'end', exitReason: 'completed', jobState: 'Completed' },
    ]);
  });

  it('is taken up at a place in an attempt, and goes on with those after it in their order', async () => {
    stored.set('first/stdout', 'one');
    stored.set('second/stdout', 'two');
    stored.set('third/stdout', 'three');
    const failed = (cid: string): Observed => resulting(observedAs.failed('exit-code', 'contract'), cid);
    becomes('Completed', [
      attempt(failed('first'), 1),
      attempt(failed('second'), 2),
      attempt(resulting(observedAs.completed(), 'third'), 3),
    ]);
    const seen = await settled(follow({ executionId: 'job.v1.p0r0.a1', from: 2, onwards: true }));
    expect(seen).toMatchObject({ text: 'etwothree', over: true });
  });

  it('of another partition is read by its number', async () => {
    stored.set('zero/stdout', '0');
    stored.set('one/stdout', '1');
    const of = (partition: number, cid: string): Execution =>
      executionOf(partition, 1, 'a', resulting(observedAs.completed(), cid));
    becomes('Completed', [of(0, 'zero'), of(1, 'one')]);
    expect(await settled(follow({ partition: 1 }))).toMatchObject({ text: '1', over: true });
  });

  it('that went with its provider is missing from where it was read, and not empty', async () => {
    becomes('Failed', [attempt(began(observedAs.failed('lost', 'contract')))]);
    const seen = follow({ from: 7, follow: false });
    await clock.advanceBy(10_000);
    expect(seen.marks).toMatchObject([
      { kind: 'attempt' },
      { kind: 'missing', executionId: 'job.v1.p0r0.a1', offset: 7 },
      { kind: 'end', exitReason: 'lost' },
    ]);
  });

  it('is waited for a moment by who asks just after the end', async () => {
    becomes('Stopped', [attempt(began(observedAs.cancelled('contract')))]);
    const seen = follow({ follow: false });
    await clock.advanceBy(1000);
    expect(seen).toMatchObject({ text: '', over: false });
    stored.set('late/stdout', 'so far');
    becomes('Stopped', [attempt(began(resulting(observedAs.cancelled('contract'), 'late')))]);
    expect(await settled(seen)).toMatchObject({ text: 'so far', over: true });
    expect(seen.marks).toMatchObject([{ kind: 'attempt' }, { kind: 'end', exitReason: 'cancelled' }]);
  });

  it('is not waited for where the provider hangs and its execution is over here', async () => {
    live = async function* (_contractId, _offset, signal) {
      yield bytes('abc');
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('dropped')));
      });
    };
    becomes('Running', [attempt(observedAs.running())]);
    const seen = follow({ onwards: true });
    await clock.settle();
    stored.set('second/stdout', 'def');
    becomes('Completed', [
      attempt(began(observedAs.failed('lost', 'contract'))),
      attempt(resulting(observedAs.completed(), 'second'), 2),
    ]);
    await clock.advanceBy(10_000);
    expect(seen).toMatchObject({ text: 'abcdef', over: true, error: undefined });
    expect(seen.marks).toMatchObject([
      { attempt: 1 },
      { kind: 'missing', offset: 3 },
      { attempt: 2 },
      { kind: 'end' },
    ]);
  });

  it('without following is what there is', async () => {
    becomes('Pending');
    expect(await settled(follow({ follow: false }))).toMatchObject({ text: '', over: true });
    stored.set('result/stderr', 'oops');
    becomes('Failed', [attempt(resulting(observedAs.failed('trap', 'contract'), 'result'))]);
    expect(await settled(follow({ follow: false, stream: 'stderr', from: 2 }))).toMatchObject({
      text: 'ps',
      over: true,
    });
  });

  it('that cannot be read live says so to who does not follow', async () => {
    live = async function* () {
      yield await Promise.reject(new Error('gone'));
    };
    becomes('Running', [attempt(observedAs.running())]);
    expect(await settled(follow({ follow: false }))).toMatchObject({ error: { code: 'LOGS_UNAVAILABLE' } });
  });

  it('of one execution ends with that execution', async () => {
    becomes('Running', [attempt(observedAs.failed('lost', 'contract'))]);
    const seen = await settled(follow({ executionId: 'job.v1.p0r0.a1' }));
    expect(seen).toMatchObject({ text: '', over: true });
    expect(await settled(follow({ executionId: 'other' }))).toMatchObject({
      error: { code: 'EXECUTION_NOT_FOUND' },
    });
  });

  it('of an unknown job is an error, and of one that ends without output is nothing', async () => {
    expect(await settled(follow())).toMatchObject({ error: { code: 'JOB_NOT_FOUND' } });
    becomes('Queued');
    const seen = follow();
    await clock.settle();
    becomes('Failed');
    expect(await settled(seen)).toMatchObject({ text: '', over: true, error: undefined });
  });

  it('ends when nobody listens any more', async () => {
    becomes('Running', [attempt(observedAs.running())]);
    const seen = follow();
    await clock.settle();
    stopping.abort();
    expect(await settled(seen)).toMatchObject({ over: true, error: { code: 'STOPPING' } });
    expect(listeners.size).toBe(0);
  });
});

async function settled<T>(seen: T): Promise<T> {
  await clock.settle();
  return seen;
}

describe('results', () => {
  it('are one for each partition: of the completed attempt, else of the newest', () => {
    const of = (partition: number, number: number, observed: Observed, cid: string): Execution =>
      executionOf(partition, number, 'a', resulting(observed, cid));
    const failed = observedAs.failed('exit-code', 'contract');
    expect(
      resultsOf([
        of(1, 1, failed, 'b1'),
        of(1, 2, failed, 'b2'),
        of(0, 2, observedAs.completed(), 'a2'),
        of(0, 1, failed, 'a1'),
        of(0, 3, failed, 'a3'),
        executionOf(2, 1, 'a', observedAs.running()),
      ]),
    ).toEqual([
      { executionId: 'job.v1.p0r0.a2', partition: 0, cid: 'a2' },
      { executionId: 'job.v1.p1r0.a2', partition: 1, cid: 'b2' },
    ]);
  });
});
