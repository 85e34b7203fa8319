import { beforeEach, describe, expect, it } from 'vitest';
import type { Execution, Observed } from '../../../src/domain/execution.ts';
import type { JobSnapshot } from '../../../src/domain/plan.ts';
import type { JobLogsOptions } from '../../../src/orchestrator/index.ts';
import { readJobLogs, resultsOf } from '../../../src/orchestrator/job-logs.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';
import { contractOf, executionOf, jobOf, observedAs } from '../fakes/market.ts';

let clock: FakeClock;
let snapshot: JobSnapshot | undefined;
let listeners: Set<() => void>;
let live: (contractId: string, offset: number) => AsyncIterable<Uint8Array>;
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

/** What has come so far, and whether it is over. */
function follow(options: Partial<JobLogsOptions> = {}) {
  const seen = { text: '', over: false, error: undefined as unknown };
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
        read: (_provider, _record, contractId, _stream, offset) => {
          reads.push(`${contractId} from ${offset}`);
          return live(contractId, offset);
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
      for await (const chunk of logs) seen.text += new TextDecoder().decode(chunk);
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

  it('of a new attempt is read from its start', async () => {
    stored.set('first/stdout', 'failed');
    becomes('Running', [attempt(resulting(observedAs.failed('lost', 'contract'), 'first'))]);
    const seen = follow();
    await clock.settle();
    expect(seen).toMatchObject({ text: 'failed', over: false });
    stored.set('second/stdout', '!');
    becomes('Completed', [
      attempt(resulting(observedAs.failed('lost', 'contract'), 'first')),
      attempt(resulting(observedAs.completed(), 'second'), 2),
    ]);
    await clock.settle();
    expect(seen).toMatchObject({ text: 'failed!', over: true });
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
    const seen = await settled(follow({ executionId: 'job.v1.p0.a1' }));
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
    expect(await settled(seen)).toMatchObject({ over: true });
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
      { executionId: 'job.v1.p0.a2', partition: 0, cid: 'a2' },
      { executionId: 'job.v1.p1.a2', partition: 1, cid: 'b2' },
    ]);
  });
});
