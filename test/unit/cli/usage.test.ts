import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { passedOn } from '../../../src/cli/exit-codes.ts';
import { closedPort } from './closed-port.ts';
import { type Desk, openDesk } from './command-line.ts';

let desk: Desk;

beforeEach(async () => {
  desk = await openDesk();
});

afterEach(() => desk.close());

describe('usage', () => {
  it.each([[['--help']], [['job', '--help']], [['start', '--help']], [['--version']]])(
    '%j is answered with 0',
    async (argv) => {
      const { exitCode, stdout, stderr } = await desk.run(argv);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(stdout).not.toBe('');
    },
  );

  it.each([[['nope']], [['job', 'nope']], [['job', 'list', '--colour']]])(
    '%j says where to look',
    async (argv) => {
      const { stderr } = await desk.run(argv);
      expect(stderr).toMatch(
        /^error: unknown (command|option) '.*'\n(.*\n)*Add --help to see what there is\.\n$/,
      );
    },
  );

  it.each([
    [[]],
    [['nope']],
    [['job', 'nope']],
    [['job', 'get']],
    [['job', 'get', 'a', 'b']],
    [['job', 'list', '--colour']],
    [['job', 'run', 'a.py', '--count', 'many']],
    [['job', 'run', 'a.py', '--env', 'novalue']],
    [['job', 'run', 'a.yaml', '--memory', '1GiB']],
    [['job', 'run', 'a.yaml', 'argument']],
    [['job', 'list', '--label', 'team']],
    [['--api', 'http://', 'status']],
  ])('%j is wrong usage: 2', async (argv) => {
    const { exitCode, stdout, stderr } = await desk.run(argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).not.toBe('');
  });

  it.each([
    [[]],
    ...['start', 'demo', 'status', 'resources', 'peers', 'node', 'job'].map((name) => [[name]]),
    ...['drain', 'undrain'].map((name) => [['node', name]]),
    ...['post', 'run', 'wait', 'list', 'get', 'explain', 'events', 'logs', 'results', 'cancel'].map(
      (name) => [['job', name]],
    ),
  ])('%j says of each flag and argument what it is', async (command) => {
    const { stdout } = await desk.run([...command, '--help']);
    const terms = stdout.split('\n').filter((line) => /^ {2}\S/.test(line));
    expect(terms).not.toEqual([]);
    expect(terms.filter((line) => !/^ {2}\S.*? {2,}\S/.test(line))).toEqual([]);
  });

  it('says so to a machine in JSON', async () => {
    const { exitCode, stderr } = await desk.run(['job', 'nope', '--json']);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'USAGE' } });
  });
});

describe('talking to a node', () => {
  it('says what to do when no node answers', async () => {
    const { exitCode, stdout, stderr } = await desk.run([
      'status',
      '--api',
      `127.0.0.1:${await closedPort()}`,
    ]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(/API_UNREACHABLE: .*127\.0\.0\.1:\d+\. .*npx bidmesh start/);
  });

  it('gives --api precedence over BIDMESH_API', async () => {
    const env = { BIDMESH_API: 'http://127.0.0.1:1' };
    expect((await desk.run(['status'], { env })).exitCode).toBe(1);
    expect((await desk.run(['--api', desk.api.url, 'status'], { env })).exitCode).toBe(0);
  });

  it('passes a refusal on with its code and fields', async () => {
    const { exitCode, stderr } = await desk.run(['job', 'list', '--state', 'gone', '--json']);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'INVALID_QUERY', errors: [{ path: 'state' }] },
    });
  });

  it.each([
    [['job', 'list', '--state', 'gone'], '--state: expected Pending, Queued, Running'],
    [['job', 'list', '--limit', 'x'], '--limit: expected a whole number'],
    [['job', 'logs', 'job-1', '--execution', 'x', '--from', 'x'], '--from: expected a whole number'],
  ])('%j is wrong usage, and said once, with the flag', async (argv, words) => {
    const { exitCode, stdout, stderr } = await desk.run(argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^error INVALID_QUERY: /);
    expect(stderr.split(words.slice(words.indexOf(':')))).toHaveLength(2);
    expect(stderr).toContain(words);
  });

  it('notices an answer that is not one of a Bidmesh node', async () => {
    const server = createServer((_request, response) => response.end('<html>')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port }: AddressInfo = Object(server.address());
    const { exitCode, stderr } = await desk.run(['status', '--api', `127.0.0.1:${port}`]);
    server.close();
    expect(exitCode).toBe(1);
    expect(stderr).toContain('API_UNEXPECTED');
  });

  it('sends the token of the node', async () => {
    const closed = await openDesk('a-token-of-some-length');
    try {
      const none = (await closed.run(['status'])).stderr;
      expect(none).toMatch(/UNAUTHORIZED: .* asks for a token.*BIDMESH__API__TOKEN/);
      const wrong = (await closed.run(['status'], { env: { BIDMESH__API__TOKEN: 'another' } })).stderr;
      expect(wrong).toMatch(/UNAUTHORIZED: The token in BIDMESH__API__TOKEN is not that of /);
      const env = { BIDMESH__API__TOKEN: 'a-token-of-some-length' };
      expect((await closed.run(['status'], { env })).exitCode).toBe(0);
    } finally {
      await closed.close();
    }
  });
});

describe('a node without a provider', () => {
  it('says that it offers nothing, and shows no empty pools', async () => {
    desk.node.view.offersNothing = 'This node offers nothing: it was told so.';
    const { exitCode, stdout } = await desk.run(['resources']);
    expect(exitCode).toBe(0);
    expect(stdout).toBe('This node offers nothing: it was told so.\n');
    expect(stdout).not.toContain('POOL');
  });
});

describe('the node in words and for machines', () => {
  it.each([
    ['status', ['peer-self', 'bidmesh-test', 'open: any identity']],
    ['resources', ['onboarded', '1.6', '3 KiB', 'leases   1', 'price    0.02 USD']],
    ['peers', ['peer-a', 'connected', 'peer-b', 'known']],
  ])('%s', async (command, words) => {
    const people = await desk.run([command]);
    expect(people.exitCode).toBe(0);
    for (const word of words) expect(people.stdout).toContain(word);
    const machine = await desk.run([command, '--json']);
    const answer = await (await fetch(`${desk.api.url}/dms/${command}`)).json();
    expect(JSON.parse(machine.stdout)).toEqual(answer);
    expect(machine.stderr).toBe('');
  });
});

describe('bidmesh resources', () => {
  it('shows devices by model and memory, those alike together', async () => {
    const gpu = (index: number, model: string, gib: number) => ({
      index,
      vendor: 'nvidia' as const,
      model,
      vramBytes: gib * 2 ** 30,
    });
    desk.node.view.gpus = [gpu(0, 'NVIDIA A100', 40), gpu(1, 'NVIDIA A100', 40), gpu(2, 'T4', 15.5)];
    const { stdout } = await desk.run(['resources']);
    expect(stdout).toMatch(/^machine .* 2 × NVIDIA A100 40 GiB, 1 × T4 15\.5 GiB$/m);
    expect(stdout).toMatch(/^free .* none$/m);
  });
});

describe('bidmesh node', () => {
  it('drains and undrains, and shows it', async () => {
    const drained = await desk.run(['node', 'drain']);
    expect(drained).toMatchObject({ exitCode: 0, stderr: '' });
    expect(drained.stdout).toMatch(/no new work until "bidmesh node undrain", also after a restart/);
    expect(desk.node.view.draining).toBe(true);
    for (const command of ['status', 'resources']) {
      expect((await desk.run([command])).stdout).toMatch(/^drained {2}takes no new work/m);
    }
    expect((await desk.run(['node', 'undrain', '--json'])).stdout).toBe('{"draining":false}\n');
    for (const command of ['status', 'resources']) {
      expect((await desk.run([command])).stdout).not.toContain('drained');
    }
  });

  it('says that there is nothing to drain', async () => {
    desk.node.view.offersNothing = 'This node only posts jobs.';
    const { exitCode, stderr } = await desk.run(['node', 'drain']);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: 'error OFFERS_NOTHING: This node only posts jobs.\n',
    });
  });
});

describe('standard output that takes no more', () => {
  it('ends a list quietly when its reader has left', async () => {
    const stdoutFails = { afterBytes: 0, code: 'EPIPE' };
    expect(await desk.run(['status'], { stdoutFails })).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect((await desk.run(['--help'], { stdoutFails })).exitCode).toBe(0);
  });

  it('fails when what should take it cannot', async () => {
    const stdoutFails = { afterBytes: 0, code: 'ENOSPC' };
    const { exitCode, stderr } = await desk.run(['status'], { stdoutFails });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/OUTPUT_NOT_WRITTEN: Standard output cannot be written: write ENOSPC/);
  });
});

describe('exit codes that a process can pass on', () => {
  it.each([
    [0, 0],
    [3, 3],
    [255, 255],
    [256, 1],
    [257, 1],
    [-1, 255],
  ])('%i becomes %i', (exitCode, passed) => {
    expect(passedOn(exitCode)).toBe(passed);
  });
});
