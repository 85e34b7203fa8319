import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApi } from '../../../../src/api/index.ts';
import { apiDefaults } from '../../../../src/api/options.ts';
import type { Execution, ExecutionEnd } from '../../../../src/domain/market/execution.ts';
import type { JobEventType } from '../../../../src/domain/job/job-event.ts';
import type { JobState } from '../../../../src/domain/job/job.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { event, execution, jobSnapshot, told } from '../../api/samples.ts';
import { printed as logged } from '../../api/scripted-node.ts';
import { type Desk, openDesk } from '../command-line.ts';

let desk: Desk;

beforeEach(async () => {
  desk = await openDesk();
  await writeFile(join(desk.folder, 'a.py'), 'print(1)');
});

afterEach(() => desk.close());

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Everything that happened to the job, as it will be found. */
function happened(
  types: readonly JobEventType[],
  state: JobState,
  executions: readonly Execution[] = [],
): void {
  desk.node.orchestrator.snapshots.set('job-1', jobSnapshot({ state }, executions));
  desk.node.orchestrator.commit(
    ...types.map((type, index) => ({
      ...event(index + 1, type),
      executionId: 'job-1.v1.p0r0.a1',
      provider: 'peer-a',
    })),
  );
}

function ended(changes: Partial<ExecutionEnd>, state: 'Completed' | 'Failed' = 'Completed'): Execution {
  const end: ExecutionEnd = {
    finishedAt: 1,
    exitReason: 'completed',
    exitCode: 0,
    why: told(''),
    ...changes,
  };
  return execution({ state, contractId: 'c', resultCid: 'folder-0', resultBytes: 1, end });
}

function declined(): Execution {
  const end: ExecutionEnd = { finishedAt: 1, exitReason: 'cancelled', why: told('no') };
  return { ...execution({ state: 'AskForBidRejected', end }), partition: 1 };
}

function printed(stdout: string, stderr = ''): void {
  desk.node.orchestrator.resultList = [{ executionId: 'job-1.v1.p0r0.a1', partition: 0, cid: 'folder-0' }];
  desk.node.content.folders.set(
    'folder-0',
    new Map([
      ['stdout', bytes(stdout)],
      ['stderr', bytes(stderr)],
    ]),
  );
}

const EXPLAIN = 'Why, and what would have helped: bidmesh job explain job-1';

const GOOD: readonly JobEventType[] = [
  'job.posted',
  'search.opened',
  'bid.received',
  'contract.accepted',
  'execution.started',
  'execution.completed',
  'job.completed',
];

describe('bidmesh job run', () => {
  it("prints what the job printed, and what went on beside it, and ends with the job's exit code", async () => {
    happened(GOOD, 'Completed', [ended({})]);
    printed('hello\n', 'a warning\n');
    const { exitCode, stdout, stderr } = await desk.run(['job', 'run', 'a.py']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'hello\n' });
    expect(stderr.split('\n')).toEqual([
      'job job-1',
      'posted',
      'searching for providers',
      'bid from peer-a',
      'contract with peer-a',
      'running on peer-a',
      'completed',
      'a warning',
      '',
    ]);
  });

  it.each([
    [{ exitReason: 'exit-code', exitCode: 3 } as const, 3],
    [{ exitReason: 'exit-code', exitCode: 256 } as const, 1],
  ])('passes %j on as %i', async (end, passed) => {
    happened([...GOOD.slice(0, 5), 'execution.failed', 'job.failed'], 'Failed', [ended(end, 'Failed')]);
    printed('partly\n');
    const { exitCode, stdout } = await desk.run(['job', 'run', 'a.py']);
    expect({ exitCode, stdout }).toEqual({ exitCode: passed, stdout: 'partly\n' });
  });

  it("keeps the program's exit code when the reader of its output has left", async () => {
    happened(GOOD, 'Failed', [ended({ exitReason: 'exit-code', exitCode: 3 }, 'Failed')]);
    printed('one\ntwo\n');
    const stdoutFails = { afterBytes: 0, code: 'EPIPE' };
    const { exitCode, stderr } = await desk.run(['job', 'run', 'a.py', '--out', 'r'], { stdoutFails });
    expect(exitCode).toBe(3);
    expect(stderr).not.toContain('error');
    expect(await readFile(join(desk.folder, 'r', 'stdout'), 'utf8')).toBe('one\ntwo\n');
  });

  it('marks what failed with a cross and not with a tick', async () => {
    happened(
      [...GOOD.slice(0, 3), 'lock.declined', 'contract.declined', 'execution.failed', 'job.failed'],
      'Failed',
      [ended({ exitReason: 'exit-code', exitCode: 3 }, 'Failed')],
    );
    const { stderr } = await desk.run(['job', 'run', 'a.py'], { tty: true });
    const marked = stderr.split('\n').flatMap((line) => /([✔✖]) .*$/.exec(line)?.[0] ?? []);
    expect(marked.filter((line) => line.startsWith('✖'))).toEqual([
      '✖ peer-a does not hold them',
      '✖ peer-a declines the contract',
      '✖ attempt on peer-a failed',
      '✖ failed',
    ]);
    expect(marked.filter((line) => line.startsWith('✔'))).toEqual(['✔ posted', '✔ bid from peer-a']);
  });

  it('counts the newest attempt only', async () => {
    const first = { ...ended({ exitReason: 'exit-code', exitCode: 9 }, 'Failed'), id: 'first' };
    happened(GOOD, 'Completed', [first, { ...ended({}), attempt: 2 }]);
    printed('hello');
    expect((await desk.run(['job', 'run', 'a.py'])).exitCode).toBe(0);
  });

  it('ends with 1 when nobody took the job, and with the command that says why', async () => {
    happened(['job.posted', 'job.failed'], 'Failed');
    const { exitCode, stdout, stderr } = await desk.run(['job', 'run', 'a.py']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(EXPLAIN);
    expect((await desk.run(['job', 'run', 'a.py', '--out', 'here'])).stderr).toMatch(/explain job-1\n$/);
    expect((await desk.run(['job', 'run', 'a.py', '--json'])).stderr).toBe('');
  });

  it.each<[string, boolean, JobState, readonly Execution[]]>([
    ['a provider declined', true, 'Failed', [declined()]],
    ['the provider was lost', true, 'Failed', [ended({ exitReason: 'lost' }, 'Failed')]],
    ['another partition ended well', true, 'Failed', [ended({}), declined()]],
    ['the program failed', false, 'Failed', [ended({ exitReason: 'exit-code', exitCode: 3 }, 'Failed')]],
    ['the program took too long', false, 'Failed', [ended({ exitReason: 'timeout' }, 'Failed')]],
    ['a first provider declined', false, 'Completed', [declined(), { ...ended({}), attempt: 2 }]],
    ['its owner stopped it', false, 'Stopped', []],
  ])('where %s, naming that command is %j', async (_what, named, state, executions) => {
    happened(['job.posted', state === 'Stopped' ? 'job.stopped' : 'job.failed'], state, executions);
    expect((await desk.run(['job', 'run', 'a.py'])).stderr.includes(EXPLAIN)).toBe(named);
  });

  it('gives a machine the job with its output, and nothing else', async () => {
    happened(GOOD, 'Completed', [ended({})]);
    printed('hello\n', 'a warning\n');
    const { stdout, stderr } = await desk.run(['job', 'run', 'a.py', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      id: 'job-1',
      state: 'Completed',
      executions: [{ exitCode: 0 }],
      stdout: 'hello\n',
      stderr: 'a warning\n',
      results: [{ partition: 0, files: [{ path: 'stdout' }, { path: 'stderr' }] }],
    });
    expect(stderr).toBe('');
  });

  it('downloads the results when asked to', async () => {
    happened(GOOD, 'Completed', [ended({})]);
    printed('hello\n');
    const { stderr } = await desk.run(['job', 'run', 'a.py', '--out', 'here']);
    expect(await readFile(join(desk.folder, 'here', 'stdout'), 'utf8')).toBe('hello\n');
    expect(stderr).toContain('2 files in here');
  });

  it('downloads all it can, says what it could not, and that it could not', async () => {
    happened(GOOD, 'Completed', [ended({})]);
    printed('hello\n');
    desk.node.content.folders.set(
      'folder-0',
      new Map([
        ['../z', bytes('x')],
        ['stdout', bytes('hello\n')],
      ]),
    );
    const { exitCode, stdout, stderr } = await desk.run(['job', 'run', 'a.py', '--out', 'results']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: 'hello\n' });
    expect(stderr).toMatch(/1 files? in results\n.*RESULTS_INCOMPLETE.*\n {2}"\.\.\/z": its name/);
    expect(await readFile(join(desk.folder, 'results', 'stdout'), 'utf8')).toBe('hello\n');
    happened([], 'Failed', [ended({ exitCode: 7 }, 'Failed')]);
    expect((await desk.run(['job', 'run', 'a.py', '--out', 'results'])).exitCode).toBe(7);
  });

  it('shows a person the output as it comes, and each byte once', async () => {
    happened(GOOD.slice(0, 5), 'Running');
    printed('one\ntwo\nthree\n');
    const texts: string[] = [];
    desk.node.orchestrator.log = async function* () {
      const { stream } = desk.node.orchestrator.logRequests.at(-1) ?? {};
      if (stream === 'stdout') yield logged('one\ntwo\n');
    };
    const { exitCode, stdout, stderr } = await desk.run(['job', 'run', 'a.py'], {
      tty: true,
      watching: (text) => {
        texts.push(text);
        if (text !== 'one\ntwo\n') return;
        desk.node.orchestrator.snapshots.set('job-1', jobSnapshot({ state: 'Completed' }, [ended({})]));
        desk.node.orchestrator.commit(event(6, 'job.completed'));
      },
    });
    expect(texts[0]).toBe('one\ntwo\n');
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'one\ntwo\nthree\n' });
    expect(stderr).toContain('✔ bid from peer-a');
    expect(stderr).toContain('✔ completed');
  });

  it('leaves the job alone when it is interrupted, and says how to end it', async () => {
    let stop = (): void => {};
    happened(['job.posted'], 'Pending');
    const run = desk.run(['job', 'run', 'a.py'], {
      stopping: (ask) => {
        stop = ask;
      },
    });
    while (desk.node.orchestrator.watchers === 0) await new Promise((resolve) => setImmediate(resolve));
    stop();
    const { exitCode, stderr } = await run;
    expect(exitCode).toBe(130);
    expect(stderr).toContain('bidmesh job cancel job-1');
    expect(desk.node.orchestrator.cancelled).toEqual([]);
  });

  it('posts nothing when it is interrupted during an upload', async () => {
    await writeFile(join(desk.folder, 'big'), Buffer.alloc(64 * 1024 * 1024));
    const { promise: began, resolve: begins } = Promise.withResolvers<void>();
    desk.node.content.put = async (source) => {
      for await (const chunk of source instanceof Uint8Array ? [source] : source) {
        begins();
        // The upload is in the middle until its sender leaves.
        if (chunk.length > 100) await new Promise((resolve) => setImmediate(resolve));
      }
      return { cid: 'some', size: 1 };
    };
    let stop = (): void => {};
    const run = desk.run(['job', 'run', 'a.py', '--input', 'big:/inputs/big'], {
      stopping: (ask) => {
        stop = ask;
      },
    });
    await began;
    stop();
    const { exitCode, stdout, stderr } = await run;
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 130,
      stdout: '',
      stderr: 'Nothing was posted.\n',
    });
    expect(desk.node.orchestrator.posted).toEqual([]);
  });

  it('says that the job goes on when its node is gone for good', async () => {
    happened(GOOD.slice(0, 5), 'Running');
    const clock = {
      ...systemClock,
      after: (delayMs: number, fire: () => void) => systemClock.after(delayMs / 100, fire),
    };
    const run = desk.run(['job', 'run', 'a.py'], { clock });
    while (desk.node.orchestrator.watchers === 0) await new Promise((resolve) => setImmediate(resolve));
    await desk.api.stop();
    const { exitCode, stderr } = await run;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /No node answers.*\nJob job-1 is on the node's disk: it goes on .*job wait job-1\n$/,
    );
  });

  it('takes the event stream up again where it broke off', async () => {
    happened(GOOD.slice(0, 3), 'Running');
    printed('hello');
    const run = desk.run(['job', 'run', 'a.py']);
    while (desk.node.orchestrator.watchers === 0) await new Promise((resolve) => setImmediate(resolve));
    const { host } = new URL(desk.api.url);
    await desk.api.stop();
    desk.node.orchestrator.snapshots.set('job-1', jobSnapshot({ state: 'Completed' }, [ended({})]));
    desk.node.orchestrator.commit(event(4, 'job.completed'));
    const again = createApi({ ...apiDefaults, listen: host }, desk.node);
    await again.start();
    const { exitCode, stdout, stderr } = await run;
    await again.stop();
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'hello' });
    expect(stderr.match(/bid from/g)).toHaveLength(1);
  });
});
