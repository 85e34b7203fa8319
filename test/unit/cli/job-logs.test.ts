import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Api, createApi } from '../../../src/api/index.ts';
import { apiDefaults } from '../../../src/api/options.ts';
import { type Clock, systemClock } from '../../../src/lib/clock.ts';
import { CodedError } from '../../../src/lib/coded-error.ts';
import type { JobLogsOptions, LogPart } from '../../../src/orchestrator/index.ts';
import { jobSnapshot } from '../api/samples.ts';
import { attemptPart, logEnd, printed, type ScriptedNode, scriptedNode } from '../api/scripted-node.ts';
import { type CommandOptions, commandLine, type Outcome } from './command-line.ts';

/** Waits of the command line pass so many times faster, so that giving up is quick. */
const HURRY = 100;
const hurried: Clock = {
  ...systemClock,
  after: (delayMs, fire) => systemClock.after(delayMs / HURRY, fire),
};

let node: ScriptedNode;
let api: Api;

const startApi = async (listen: string): Promise<void> => {
  api = createApi({ ...apiDefaults, listen, sseHeartbeatMs: 100_000, stopGraceMs: 50 }, node);
  await api.start();
};

beforeEach(async () => {
  node = scriptedNode();
  await startApi('127.0.0.1:0');
});

afterEach(() => api.stop());

const run = (argv: readonly string[], options: CommandOptions = {}): Promise<Outcome> =>
  commandLine(['job', 'logs', 'job-1', ...argv], '/', {
    clock: hurried,
    ...options,
    env: { BIDMESH_API: api.url },
  });

/** The parts of the output, then silence for as long as the reader is there. */
async function* openEnded(signal: AbortSignal, ...parts: readonly LogPart[]): AsyncGenerator<LogPart> {
  yield* parts;
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
}

/** What it answers to one request after the other. */
function answers(
  ...of: readonly ((signal: AbortSignal, options: JobLogsOptions) => AsyncIterable<LogPart>)[]
): void {
  let request = 0;
  node.orchestrator.log = (signal, options) => {
    const answer = of[Math.min(request, of.length - 1)];
    request += 1;
    return answer?.(signal, options) ?? openEnded(signal);
  };
}

async function* all(...parts: readonly LogPart[]): AsyncGenerator<LogPart> {
  yield* parts;
}

describe('bidmesh job logs --follow', () => {
  it('is taken up where it was when the node is back', async () => {
    answers(
      (signal) => openEnded(signal, attemptPart(1), printed('one\n')),
      () => all(attemptPart(1, 4), printed('two\n', 4), logEnd),
    );
    const { host } = new URL(api.url);
    const { exitCode, stdout, stderr } = await run(['--follow'], {
      watching: (text) => {
        if (text === 'one\n') void api.stop().then(() => startApi(host));
      },
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'one\ntwo\n' });
    expect(stderr).toBe('The node does not answer; trying again.\n');
    expect(node.orchestrator.logRequests.at(-1)).toMatchObject({
      executionId: 'job-1.v1.p0r0.a1',
      from: 4,
      onwards: true,
    });
  });

  it('ends with a code of its own and the place where the node does not come back', async () => {
    answers((signal) => openEnded(signal, attemptPart(2), printed('x'.repeat(10), 0, 'job-1.v1.p0r0.a2')));
    const { exitCode, stdout, stderr } = await run(['--follow'], { watching: () => void api.stop() });
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: 'x'.repeat(10) });
    expect(stderr).toContain('LOGS_BROKEN_OFF');
    expect(stderr).toContain('job logs job-1 --follow --execution job-1.v1.p0r0.a2 --from 10');
  });

  it('takes a stream without heartbeats for a broken one', async () => {
    answers(
      (signal) => openEnded(signal, attemptPart(1), printed('one')),
      () => all(attemptPart(1, 3), printed('two', 3), logEnd),
    );
    expect(await run(['--follow'])).toMatchObject({ exitCode: 0, stdout: 'onetwo' });
  });

  it('shows where another attempt begins, on a line of its own', async () => {
    answers(() =>
      all(
        attemptPart(1),
        printed('abc'),
        attemptPart(2),
        printed('def\n', 0, 'job-1.v1.p0r0.a2'),
        attemptPart(3),
        logEnd,
      ),
    );
    const { stdout, stderr } = await run(['--follow']);
    expect(stdout).toBe('abc\n--- attempt 2, on peer-a ---\ndef\n--- attempt 3, on peer-a ---\n');
    expect(stderr).toBe('');
  });

  it('is interrupted with 130', async () => {
    answers((signal) => openEnded(signal, attemptPart(1), printed('one')));
    let stop = (): void => {};
    const outcome = await run(['--follow'], {
      stopping: (ask) => {
        stop = ask;
      },
      watching: () => stop(),
    });
    expect(outcome).toEqual({ exitCode: 130, stdout: 'one', stderr: '' });
  });

  it('says that there is no node at once', async () => {
    await api.stop();
    const { exitCode, stderr } = await run(['--follow', '--partition', '0']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('API_UNREACHABLE');
  });
});

describe('bidmesh job logs', () => {
  it('says what of the last attempt never came here, and fails', async () => {
    const missing = { kind: 'missing', executionId: 'job-1.v1.p0r0.a1', offset: 3 } as const;
    answers(() => all(attemptPart(1), printed('abc'), missing, { ...logEnd, exitReason: 'lost' }));
    const { exitCode, stdout, stderr } = await run([]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: 'abc' });
    expect(stderr).toMatch(/LOGS_INCOMPLETE.*job-1\.v1\.p0r0\.a1 printed from byte 3 on/);
    answers(() => all(attemptPart(1), printed('abc'), missing, attemptPart(2), logEnd));
    const healed = await run([]);
    expect(healed.exitCode).toBe(0);
    expect(healed.stderr).toContain('from byte 3 on');
  });

  it('tells a program that was ended from one that ended', async () => {
    answers(() => all(attemptPart(1), printed('abc'), { ...logEnd, exitReason: 'lost' }));
    const { exitCode, stdout, stderr } = await run([]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'abc' });
    expect(stderr).toBe('The program did not come to its own end: lost.\n');
    answers(() => all(attemptPart(1), printed('abc'), { ...logEnd, exitReason: 'exit-code', exitCode: 3 }));
    expect((await run([])).stderr).toBe('');
  });

  it('passes on what the node says no with, also in the middle', async () => {
    node.orchestrator.log = async function* () {
      yield attemptPart(1);
      throw new CodedError('LOGS_UNAVAILABLE', 'The provider cannot be reached. Try again.');
    };
    const { exitCode, stderr } = await run([]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('LOGS_UNAVAILABLE: The provider cannot be reached. Try again.');
  });

  it.each([
    [['--stream', 'both'], '--stream takes stdout or stderr'],
    [['--partition', 'x'], '--partition takes a whole number'],
  ])('refuses %j', async (argv, text) => {
    const { exitCode, stderr } = await run(argv);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(text);
  });

  describe('of several partitions', () => {
    beforeEach(() => {
      node.orchestrator.snapshots.set('job-1', jobSnapshot({ state: 'Running', count: 3 }));
      const lastRead = Promise.withResolvers<void>();
      node.orchestrator.log = async function* (_signal, { partition = 0, follow }) {
        const id = `job-1.v1.p${partition}r0.a1`;
        yield { kind: 'attempt', executionId: id, partition, attempt: 1, provider: 'peer-a', offset: 0 };
        yield printed(`of ${partition}: be`, 0, id);
        if (partition === 2) lastRead.resolve();
        else if (follow) await lastRead.promise;
        yield printed(`gun\nand ended`, 8, id);
        yield { ...logEnd, executionId: id };
      };
    });

    it('is all of them, whole lines behind their number', async () => {
      const lines = ['p0 | of 0: begun', 'p0 | and ended', 'p1 | of 1: begun'];
      const followed = (await run(['--follow'])).stdout.split('\n');
      const { exitCode, stdout } = await run([]);
      expect(exitCode).toBe(0);
      expect(stdout.split('\n').slice(0, 3)).toEqual(lines);
      expect(followed.toSorted()).toEqual(stdout.split('\n').toSorted());
    });

    it('is one of them as it was printed', async () => {
      expect((await run(['--partition', '1'])).stdout).toBe('of 1: begun\nand ended');
      const { exitCode, stderr } = await run(['--partition', '3']);
      expect(exitCode).toBe(2);
      expect(stderr).toContain('the job has partitions 0 to 2');
    });

    it('has no single offset', async () => {
      const { exitCode, stderr } = await run(['--from', '3']);
      expect(exitCode).toBe(2);
      expect(stderr).toContain('--from goes with --partition');
    });
  });
});
