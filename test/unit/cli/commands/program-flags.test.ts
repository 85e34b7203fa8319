import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { engineOfBytes } from '../../../../src/cli/standard-input.ts';
import { rawContentIdOf } from '../../../../src/lib/canonical.ts';
import { type Desk, openDesk } from '../command-line.ts';

let desk: Desk;

beforeEach(async () => {
  desk = await openDesk();
  await writeFile(join(desk.folder, 'a.py'), 'print(1)');
});

afterEach(() => desk.close());

const posted = (): unknown => desk.node.orchestrator.posted[0]?.description;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const PEER = `12D3KooW${'A'.repeat(44)}`;

describe('flags of a program', () => {
  it.each<[readonly string[], object]>([
    [['--queue', '90s'], { timeouts: { queue: 90_000, execution: 600_000 } }],
    [['--timeout', '2h'], { timeouts: { execution: 7_200_000 } }],
    [['--budget', '0.10'], { budget: { maxPrice: '0.10', currency: 'USD', per: 'hour' } }],
    [['--budget', '0.10 EUR'], { budget: { maxPrice: '0.10', currency: 'EUR', per: 'hour' } }],
    [['--budget', '2 USD/result'], { budget: { maxPrice: '2', currency: 'USD', per: 'result' } }],
    [['--budget', '2/minute'], { budget: { maxPrice: '2', per: 'minute' } }],
    [['--label', 'team=sales', '--label', 'a:b=c'], { labels: { team: 'sales', a: 'b=c' } }],
    [['--disk', '2GiB'], { resources: { disk: 2 ** 31 } }],
    [['--gpu', '2'], { resources: { gpus: [{ count: 2 }] } }],
    [['--gpu', 'A100'], { resources: { gpus: [{ count: 1, model: 'A100' }] } }],
    [
      ['--gpu', 'RTX 4090:2', '--gpu', 'AMD'],
      {
        resources: {
          gpus: [
            { count: 2, model: 'RTX 4090' },
            { count: 1, vendor: 'amd' },
          ],
        },
      },
    ],
    [
      ['--gpu', 'count=2,model=A100,vram=40GiB,driver=>=550,computecapability=>=8.0'],
      {
        resources: {
          gpus: [
            { count: 2, model: 'A100', vram: 40 * 2 ** 30, driver: '>=550', computeCapability: '>=8.0' },
          ],
        },
      },
    ],
    [['--push', '--provider', PEER], { orchestrationType: 'push', preferredProviders: [PEER] }],
  ])('%j become the fields of the description', async (flags, fields) => {
    const { exitCode, stderr } = await desk.run(['job', 'post', 'a.py', ...flags]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(posted()).toMatchObject(fields);
  });

  it.each([
    ['--queue', 'soon', /a duration such as 250ms, 5s, 10m or 1h/],
    ['--queue', '-5s', /a duration/],
    ['--timeout', '10', /a duration/],
    ['--timeout', '', /a duration/],
    ['--budget', 'cheap', /an amount such as 0\.10/],
    ['--budget', '-1', /an amount/],
    ['--budget', '1 USD/year', /an amount .* minute, second, result/],
    ['--label', 'team', /KEY=VALUE/],
    ['--label', '=x', /KEY=VALUE/],
    ['--gpu', '0', /a number of devices/],
    ['--gpu', '', /a number of devices/],
    ['--gpu', ':2', /a number of devices/],
    ['--gpu', 'A100:0', /a number of devices/],
    ['--gpu', 'size=3', /count, vendor, model, vram, driver, computeCapability/],
    ['--gpu', 'count=two', /a whole number/],
    ['--disk', 'much', /a size such as 256MiB/],
    ['--memory', '1 gig', /a size/],
    ['--cpu', 'all', /cores such as 2, 0\.5 or 500m/],
    ['--count', '-1', /a whole number/],
    ['--provider', 'x', /a peer id/],
    ['--engine', 'perl', /Allowed choices are python, wasm/],
    ['--env', '1', /NAME=VALUE/],
    ['--input', 'x', /SOURCE:TARGET/],
    ['--output', ':x', /NAME:PATH/],
  ])('%s %j is wrong usage, and what it takes is said', async (flag, value, words) => {
    const { exitCode, stderr } = await desk.run(['job', 'run', 'a.py', `${flag}=${value}`]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(words);
    expect(stderr).toContain(flag);
    expect(desk.node.content.files.size).toBe(0);
  });

  it.each([
    [['--timeout', '0s'], '--timeout: '],
    [['--count', '5000'], '--count: '],
    [['--label', `${'k'.repeat(70)}=v`], '--label: '],
    [['--name', '-x'], '--name: '],
    [['--queue', '400d'], '--queue: '],
    [['--cpu', '9999'], '--cpu: '],
    [['--gpu', 'driver=new'], '--gpu: '],
    [['--output', 'o:outputs'], '--output: '],
    [['--env', '1A=x'], '--env: '],
  ])('what the node refuses of %j is said with the flag, once', async (flags, named) => {
    const { exitCode, stderr } = await desk.run(['job', 'post', 'a.py', ...flags]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/error INVALID_JOB: The job was not accepted\.\n/);
    expect(stderr.split(`\n  ${named}`)).toHaveLength(2);
    expect(posted()).toBeUndefined();
  });

  it.each([
    ['--queue', '1m'],
    ['--timeout', '1m'],
    ['--budget', '1'],
    ['--label', 'a=b'],
    ['--gpu', '1'],
    ['--disk', '1GiB'],
    ['--provider', PEER],
    ['--push'],
    ['--stdin', 'a.py'],
  ])('%s goes with a program and not with a description', async (...flags) => {
    await writeFile(join(desk.folder, 'job.yaml'), 'engine: {}');
    const { exitCode, stderr } = await desk.run(['job', 'run', 'job.yaml', ...flags]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`${flags[0]} goes with a program`);
  });

  it('stand in the help of both commands', async () => {
    for (const command of ['run', 'post']) {
      const { stdout } = await desk.run(['job', command, '--help']);
      const flags = [
        'queue',
        'timeout',
        'budget',
        'label',
        'gpu',
        'disk',
        'push',
        'provider',
        'stdin',
        'engine',
      ];
      for (const flag of flags) expect(stdout).toContain(`--${flag}`);
    }
  });

  it('takes the end of the id of a known provider', async () => {
    expect((await desk.run(['job', 'post', 'a.py', '--provider', 'peer-a'])).exitCode).toBe(2);
    const unknown = await desk.run(['job', 'post', 'a.py', '--provider', '…zzzzzzzz']);
    expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/no peer whose id ends so/) });
  });

  it('runs a file of any name by the engine that is named', async () => {
    await writeFile(join(desk.folder, 'script'), 'print(2)');
    expect((await desk.run(['job', 'post', 'script', '--engine', 'python'])).exitCode).toBe(0);
    expect(posted()).toMatchObject({
      name: 'script',
      engine: { type: 'python', params: { script: { cid: rawContentIdOf(bytes('print(2)')) } } },
    });
  });
});

describe('standard input', () => {
  const script = 'import sys\nprint(sys.argv)\n';

  it('is the program for "-"', async () => {
    const { exitCode } = await desk.run(['job', 'post', '-', 'one', '--cpu', '1'], { stdin: script });
    expect(exitCode).toBe(0);
    expect(posted()).toMatchObject({
      name: 'job',
      resources: { cpu: 1000 },
      engine: { type: 'python', params: { script: { cid: rawContentIdOf(bytes(script)) }, args: ['one'] } },
    });
  });

  it('is a job description where it looks like one, with paths from here', async () => {
    await mkdir(join(desk.folder, 'jobs'));
    const description = 'name: piped\nengine: { type: python, params: { script: ./a.py } }\n';
    expect((await desk.run(['job', 'post', '-'], { stdin: description })).exitCode).toBe(0);
    expect(posted()).toMatchObject({
      name: 'piped',
      engine: { params: { script: { cid: rawContentIdOf(bytes('print(1)')) } } },
    });
    const wrong = await desk.run(['job', 'post', '-'], { stdin: 'engine: {\n' });
    expect(wrong.stderr).toMatch(/JOB_FILE_INVALID: standard input, line \d/);
    const flagged = await desk.run(['job', 'post', '-', '--cpu', '1'], { stdin: description });
    expect(flagged).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--cpu goes with a program'),
    });
  });

  it('is what --engine says it is', async () => {
    const typed = 'engine: int = 3\n';
    expect((await desk.run(['job', 'post', '-', '--engine', 'python'], { stdin: typed })).exitCode).toBe(0);
    expect(posted()).toMatchObject({ engine: { type: 'python' } });
  });

  it('is not nothing', async () => {
    const { exitCode, stderr } = await desk.run(['job', 'post', '-'], { stdin: '' });
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining('is empty') });
  });

  it.each<[string | Uint8Array, string | undefined]>([
    [Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0), 'wasm'],
    ['{"engine": {}}', undefined],
    ['\n  {\n  "name": "x" }', undefined],
    ['---\n# a job\nengine:\n  type: wasm\n', undefined],
    ['name: x\r\nengine: {}\r\n', undefined],
    ['print("engine: x")\n', 'python'],
    ['#!/usr/bin/env python3\nengine = 3\n', 'python'],
    ['def f():\n  engine: int\n', 'python'],
    ['x = {"a": 1}', 'python'],
    ['', 'python'],
  ])('%j is seen as %s', (input, engine) => {
    expect(engineOfBytes(typeof input === 'string' ? bytes(input) : input)).toBe(engine);
  });

  it.each(['data.bin', '-'])('is handed to the program by --stdin %s, whatever its bytes', async (file) => {
    const data = Uint8Array.from({ length: 3 * 1024 * 1024 }, (_, at) => at % 256);
    await writeFile(join(desk.folder, 'data.bin'), data);
    const { exitCode, stderr } = await desk.run(['job', 'post', 'a.py', '--stdin', file], { stdin: data });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(posted()).toMatchObject({ engine: { params: { stdin: { cid: rawContentIdOf(data) } } } });
  });

  it('is not both the program and what it reads', async () => {
    const { exitCode, stderr } = await desk.run(['job', 'run', '-', '--stdin', '-'], { stdin: script });
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining('and not both') });
  });
});
