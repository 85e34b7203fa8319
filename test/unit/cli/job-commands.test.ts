import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rawContentIdOf } from '../../../src/lib/canonical.ts';
import { CodedError } from '../../../src/lib/coded-error.ts';
import { CREATED_AT, event, execution, jobSnapshot, SOME_CID, told } from '../api/samples.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { logEnd, printed } from '../api/scripted-node.ts';
import { type Desk, openDesk } from './command-line.ts';

let desk: Desk;

beforeEach(async () => {
  desk = await openDesk();
});

afterEach(() => desk.close());

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function write(path: string, text: string | Uint8Array): Promise<void> {
  await mkdir(join(desk.folder, path, '..'), { recursive: true });
  await writeFile(join(desk.folder, path), text);
}

const posted = (): unknown => desk.node.orchestrator.posted[0]?.description;

describe('bidmesh job post', () => {
  it('posts a description and prints the id', async () => {
    await write(
      'job.yaml',
      `name: hello\nengine: { type: wasm, params: { module: { cid: ${SOME_CID} } } }\n`,
    );
    const { exitCode, stdout, stderr } = await desk.run(['job', 'post', 'job.yaml']);
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: 'job-1\n', stderr: '' });
    expect(posted()).toMatchObject({ name: 'hello' });
    const machine = await desk.run(['job', 'post', 'job.yaml', '--json', '--idempotency-key', 'key-1']);
    expect(JSON.parse(machine.stdout)).toEqual({ id: 'job-1' });
    expect(desk.node.orchestrator.posted[1]?.options.idempotencyKey).toBe('key-1');
  });

  it('uploads the files it names, relative to the description, each once', async () => {
    await write('jobs/hello.wasm', 'a module');
    await write('jobs/data.txt', 'some data');
    await write(
      'jobs/job.json',
      JSON.stringify({
        engine: { type: 'wasm', params: { module: './hello.wasm', args: ['./data.txt'] } },
        inputs: [
          { target: '/inputs/a', source: 'data.txt' },
          { target: '/inputs/b', source: './data.txt' },
          { target: '/inputs/c', source: { text: 'inline' } },
        ],
      }),
    );
    const { exitCode, stderr } = await desk.run(['job', 'post', 'jobs/job.json']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const data = { cid: rawContentIdOf(bytes('some data')) };
    expect(posted()).toMatchObject({
      engine: { params: { module: { cid: rawContentIdOf(bytes('a module')) }, args: ['./data.txt'] } },
      inputs: [{ source: data }, { source: data }, { source: { text: 'inline' } }],
    });
    expect(desk.node.content.files.size).toBe(2);
    expect(desk.node.content.publicIds.size).toBe(0);
  });

  it('makes a job around a program', async () => {
    await write('My script.py', 'print(1)');
    await write('in.txt', 'x');
    const typed = [
      'one --input in.txt:/inputs/in.txt --output out:/outputs --env A=b=c --cpu 2 --memory 1GiB',
      '--count 3 -- --two',
    ];
    const flags = typed.flatMap((line) => line.split(' '));
    const { exitCode, stderr } = await desk.run(['job', 'post', 'My script.py', ...flags]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(posted()).toMatchObject({
      name: 'My-script',
      count: 3,
      engine: {
        type: 'python',
        params: {
          script: { cid: rawContentIdOf(bytes('print(1)')) },
          args: ['one', '--two'],
          env: { A: 'b=c' },
        },
      },
      resources: { cpu: 2000, memory: 2 ** 30 },
      inputs: [{ target: '/inputs/in.txt', source: { cid: rawContentIdOf(bytes('x')) } }],
      outputs: [{ name: 'out', path: '/outputs' }],
    });
  });

  it('knows WASM programs too', async () => {
    await write('a.wasm', 'a module');
    expect((await desk.run(['job', 'post', 'a.wasm', '--name', 'named'])).exitCode).toBe(0);
    expect(posted()).toMatchObject({ name: 'named', engine: { type: 'wasm' } });
  });

  it.each([
    ['nope.yaml', undefined, /FILE_UNREADABLE: .*nope\.yaml.*not there/],
    ['job.yaml', 'name: x\nengine: {\n', /JOB_FILE_INVALID: .*job\.yaml, line 3/],
    ['job.yaml', '- a\n', /JOB_FILE_INVALID: .*job\.yaml holds no job description.*--engine python/],
    ['.', undefined, /FILE_UNREADABLE: .*: it is a folder\./],
    ['job.yaml', 'engine: { type: wasm, params: { module: ./nope.wasm } }', /FILE_UNREADABLE: .*nope\.wasm/],
    ['job.yaml', 'engine: { type: wasm, params: { module: . } }', /FILE_UNREADABLE: .*not a file/],
    [
      'job.yaml',
      'prefer: { price: .nan }',
      /JOB_FILE_INVALID: .*job\.yaml, line 1, column 18: \.nan: this is no number/,
    ],
    [
      'job.yaml',
      'inputs: [{ source: -.inf }]',
      /JOB_FILE_INVALID: .*job\.yaml, line 1, column 20: -\.inf: this is no number/,
    ],
    [
      'job.yaml',
      'name: x\nengin: {}',
      /INVALID_JOB: .*job\.yaml was not accepted:\n.*\n? {2}line 2: engin: unknown key/s,
    ],
    ['job.json', '{"name": "x",\n "engin": {}}', /INVALID_JOB: .* {2}line 2: engin: unknown key/s],
    [
      'job.json',
      '{"name": "x",\n "name": "y"}',
      /JOB_FILE_INVALID: .*job\.json, line 2, column 2: name: .* twice/,
    ],
    ['job.json', '{"name": "caf\\udce9"}', /JOB_FILE_INVALID: .*job\.json, line 1, column 10: .*surrogate/],
    ['job.yaml', 'name: *nope\n', /JOB_FILE_INVALID: .*job\.yaml, line 1, column 7: \*nope: .* no anchor/],
    [
      'job.yaml',
      'env: &e { A: "1" }\nlabels:\n  <<: *e\n',
      /JOB_FILE_INVALID: .*job\.yaml, line 3, column 3: merge keys/,
    ],
    [
      'job.yaml',
      Buffer.from('name: x\nargs: ["M\u00fcller"]\n', 'latin1'),
      /JOB_FILE_INVALID: .*job\.yaml, line 2, column 10: .*0xFC/,
    ],
    ['job.yaml', Buffer.from('name: x\n', 'utf16le'), /JOB_FILE_INVALID: .*job\.yaml: it is UTF-16/],
    ['job.yaml', 'engine: text\ninputs: text\n', /INVALID_JOB/],
  ])('says what is wrong with %s holding %j', async (file, text, message) => {
    if (text !== undefined) await write(file, text);
    const { exitCode, stderr } = await desk.run(['job', 'post', file]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(message);
    expect(desk.node.orchestrator.posted).toEqual([]);
  });
});

describe('looking after jobs', () => {
  it('lists them', async () => {
    desk.node.orchestrator.page = { items: [jobSnapshot()], nextCursor: 'more' };
    const people = await desk.run(['job', 'list', '--state', 'Running', '--label', 'a:b', '--limit', '1']);
    expect(people.stdout).toMatch(/^ID +NAME +STATE +PROVIDER +AGE +EXIT\njob-1 +hello +Running +1s\n/);
    expect(people.stderr).toContain('--cursor more');
    expect(desk.node.orchestrator.filters).toEqual([
      { state: 'Running', label: { key: 'a', value: 'b' }, limit: 1 },
    ]);
    await desk.run(['job', 'list', '--state', 'running', '--label', 'a=b=c']);
    expect(desk.node.orchestrator.filters[1]).toMatchObject({
      state: 'Running',
      label: { key: 'a', value: 'b=c' },
    });
    const machine = await desk.run(['job', 'list', '--json']);
    expect(JSON.parse(machine.stdout)).toMatchObject({ items: [{ id: 'job-1' }], nextCursor: 'more' });
    expect(machine.stderr).toBe('');
  });

  it('shows one, or says that it is not there', async () => {
    expect((await desk.run(['job', 'get', 'job-1'])).stdout).toContain('hello job-1 is Running');
    expect(JSON.parse((await desk.run(['job', 'get', 'job-1', '--json'])).stdout)).toMatchObject({
      executions: [],
    });
    const missing = await desk.run(['job', 'get', 'no/pe']);
    expect(missing).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('JOB_NOT_FOUND') });
  });

  it('lists whom they are with, how old they are and with what they ended', async () => {
    const done = { state: 'Completed', contractId: 'c', resultCid: 'r', resultBytes: 1 } as const;
    const end = { finishedAt: CREATED_AT, exitReason: 'completed', exitCode: 0, why: told('') } as const;
    const sweep = [
      execution({ ...done, end }, { id: 'a', provider: '12D3KooWfirst00one' }),
      execution({ state: 'Running', contractId: 'c' }, { id: 'b', partition: 1, createdAt: CREATED_AT + 1 }),
    ];
    desk.node.orchestrator.page = {
      items: [
        jobSnapshot({ count: 20 }, sweep),
        jobSnapshot({ state: 'Completed' }, sweep.slice(0, 1)),
        jobSnapshot({ state: 'Failed' }, []),
      ],
    };
    const nowMs = CREATED_AT + 3 * 3_600_000 + 61_000;
    const { stdout } = await desk.run(['job', 'list'], { clock: { ...systemClock, nowMs: () => nowMs } });
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['ID', 'NAME', 'STATE', 'PROVIDER', 'AGE', 'EXIT'],
      ['job-1', 'hello', 'Running 1/20', 'peer-a +1', '3h'],
      ['job-1', 'hello', 'Completed', '…rst00one', '3h', '0'],
      ['job-1', 'hello', 'Failed', '3h'],
      [''],
    ]);
  });

  it('shows one with its times, its cost and the provider of each attempt', async () => {
    const startedAt = CREATED_AT + 5000;
    const end = {
      finishedAt: startedAt + 36_000,
      exitReason: 'exit-code',
      exitCode: 3,
      why: told('no'),
    } as const;
    desk.node.orchestrator.snapshots.set(
      'job-1',
      jobSnapshot({ state: 'Running', count: 2 }, [
        execution({ state: 'Failed', contractId: 'c', startedAt, end }),
        execution({ state: 'Running', contractId: 'd', startedAt }, { id: 'b', partition: 1 }),
        execution({ state: 'AskForBid', askedAt: 1 }, { id: 'c', attempt: 2 }),
      ]),
    );
    const clock = { ...systemClock, nowMs: () => startedAt + 72_000 };
    const { stdout } = await desk.run(['job', 'get', 'job-1'], { clock });
    expect(stdout.split('\n').slice(0, 5)).toEqual([
      'hello job-1 is Running',
      'posted      2030-01-01 00:00:00',
      'open        for 1m 17s',
      'partitions  0 of 2 completed, 1 negotiating, 1 running',
      'cost        0.0006 USD',
    ]);
    expect(stdout).toMatch(
      /0 +1 +peer-a +Failed +2030-01-01 00:00:05 +36s +0\.02 USD\/hour +0\.0002 USD +3 +exit-code +no\n/,
    );
    expect(stdout).toMatch(
      /1 +1 +peer-a +Running +2030-01-01 00:00:05 +1m 12s +0\.02 USD\/hour +0\.0004 USD\n/,
    );
    expect(stdout).toMatch(/0 +2 +peer-a +AskForBid +0\.02 USD\/hour\n/);
  });

  it('takes the beginning of an id wherever it takes one', async () => {
    const whole = '0193b1c2-0000-7000-8000-00000000abcd';
    const { job } = jobSnapshot();
    const snapshot = { ...jobSnapshot(), job: { ...job, id: whole } };
    desk.node.orchestrator.snapshots.set(whole, snapshot);
    desk.node.orchestrator.page = { items: [snapshot] };
    desk.node.orchestrator.log = async function* () {
      yield logEnd;
    };
    for (const command of ['get', 'events', 'explain', 'logs', 'results', 'cancel']) {
      expect([command, (await desk.run(['job', command, '0193B1'])).exitCode]).toEqual([command, 0]);
    }
    expect(desk.node.orchestrator.filters[0]).toEqual({ idPrefix: '0193b1', limit: 9 });
    expect(desk.node.orchestrator.cancelled).toEqual([whole]);
    const asked = desk.node.orchestrator.filters.length;
    expect((await desk.run(['job', 'get', whole])).exitCode).toBe(0);
    expect(desk.node.orchestrator.filters).toHaveLength(asked);
  });

  it('names the jobs that a beginning may mean, and says when it is too short', async () => {
    const { job } = jobSnapshot();
    const named = (id: string) => ({ ...jobSnapshot(), job: { ...job, id } });
    desk.node.orchestrator.page = { items: [named('job-1'), named('job-12'), named('job-13')] };
    const { exitCode, stderr } = await desk.run(['job', 'cancel', 'job-']);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/ID_AMBIGUOUS: .*begin with job-.*\n {2}job-1 .*\n {2}job-12 .*\n {2}job-13 /);
    expect((await desk.run(['job', 'get', 'job-1'])).exitCode).toBe(0);
    desk.node.orchestrator.page = { items: Array.from({ length: 9 }, (_, at) => named(`job-2${at}`)) };
    expect((await desk.run(['job', 'get', 'job-2'])).stderr).toMatch(/job-27 .*\n {2}and more/);
    const short = await desk.run(['job', 'get', 'jo']);
    expect(short).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/too short .*first 4/) });
    expect(desk.node.orchestrator.cancelled).toEqual([]);
  });

  it('tells what happened, page after page', async () => {
    desk.node.orchestrator.commit(...Array.from({ length: 450 }, (_, index) => event(index + 1)));
    const { stdout } = await desk.run(['job', 'events', 'job-1', '--json']);
    const seqs = stdout
      .trimEnd()
      .split('\n')
      .map((line) => Number(Object(JSON.parse(line)).seq));
    expect(seqs).toEqual(Array.from({ length: 450 }, (_, index) => index + 1));
    expect((await desk.run(['job', 'events', 'job-1'])).stdout).toContain(
      '   1  2030-01-01 00:00:00  bid.received',
    );
  });

  it('tells each event in one line, whatever a provider wrote', async () => {
    const text = 'no\n   9  2030-01-01 00:00:00  job.completed\u001b[2J';
    desk.node.orchestrator.commit({ ...event(1), why: told(text) }, event(2));
    for (const tty of [true, false]) {
      const { stdout } = await desk.run(['job', 'events', 'job-1'], { tty });
      expect(stdout.trimEnd().split('\n')).toHaveLength(2);
      expect(stdout).toContain('no␊   9  2030-01-01 00:00:00  job.completed␛[2J');
    }
  });

  it('follows what happens until it is interrupted', async () => {
    desk.node.orchestrator.commit(event(1));
    let stop = (): void => {};
    const { exitCode, stdout } = await desk.run(['job', 'events', 'job-1', '--follow'], {
      stopping: (ask) => {
        stop = ask;
      },
      watching: (text) => {
        if (text.includes('   2  ')) stop();
        else desk.node.orchestrator.commit(event(2));
      },
    });
    expect(exitCode).toBe(130);
    expect(stdout.split('\n')).toHaveLength(3);
  });

  it('cancels', async () => {
    expect((await desk.run(['job', 'cancel', 'job-1'])).exitCode).toBe(0);
    expect(desk.node.orchestrator.cancelled).toEqual(['job-1']);
  });

  it('prints logs as they are', async () => {
    desk.node.orchestrator.log = async function* () {
      yield printed('raw ', 3);
      yield printed('text', 7);
      yield logEnd;
    };
    const { stdout } = await desk.run([
      'job',
      'logs',
      'job-1',
      '--follow',
      '--stream',
      'stderr',
      '--from',
      '3',
    ]);
    expect(stdout).toBe('raw text');
    expect(desk.node.orchestrator.logRequests).toEqual([
      { follow: true, stream: 'stderr', from: 3, partition: 0, onwards: true },
    ]);
  });
});

describe('what strangers wrote, on a terminal', () => {
  const COMMANDS = 'a\u001b]0;title\u0007\u001b[2Jb\r\nc\rd\te\u007f\u009bü\u202egpj.exe\n';
  const HARMLESS = 'a␛]0;title␇␛[2Jb\nc␍d\te␡\ufffdü\ufffdgpj.exe\n';

  it('commands nothing there, and goes into a pipe as it is', async () => {
    const whole = bytes(COMMANDS);
    desk.node.orchestrator.log = async function* () {
      // One piece ends inside of a letter.
      const offset = whole.length - 2;
      const about = { kind: 'output', executionId: 'job-1.v1.p0r0.a1' } as const;
      yield { ...about, offset: 0, bytes: whole.subarray(0, -2) };
      yield { ...about, offset, bytes: whole.subarray(-2) };
      yield logEnd;
    };
    expect((await desk.run(['job', 'logs', 'job-1'], { tty: true })).stdout).toBe(HARMLESS);
    expect((await desk.run(['job', 'logs', 'job-1'])).stdout).toBe(COMMANDS);
  });

  it('is harmless in tables and messages too', async () => {
    desk.node.orchestrator.snapshots.set(
      'job-1',
      jobSnapshot({ state: 'Failed', why: told('It said \u001b[31mno') }),
    );
    const { stdout } = await desk.run(['job', 'get', 'job-1'], { tty: true });
    expect(stdout).toContain('It said ␛[31mno');
    desk.node.orchestrator.refusal = new CodedError('JOB_NOT_FOUND', 'no \u001b[2J');
    const { stderr } = await desk.run(['job', 'cancel', 'job-1'], { tty: true });
    expect(stderr).toContain('no ␛[2J');
  });
});

describe('bidmesh job results', () => {
  const complete = (count: number, files: ReadonlyMap<string, Uint8Array>): void => {
    desk.node.orchestrator.snapshots.set('job-1', jobSnapshot({ state: 'Completed', count }));
    for (let partition = 0; partition < count; partition += 1) {
      desk.node.orchestrator.resultList.push({
        executionId: `e${partition}`,
        partition,
        cid: `folder-${partition}`,
      });
      desk.node.content.folders.set(`folder-${partition}`, files);
    }
  };
  const files = new Map([
    ['stdout', bytes('hello')],
    ['outputs/out/a b.txt', bytes('data')],
  ]);

  it('lists, prints and downloads', async () => {
    complete(1, files);
    expect((await desk.run(['job', 'results', 'job-1'])).stdout).toMatch(/0 +outputs\/out\/a b\.txt +4 B/);
    expect((await desk.run(['job', 'results', 'job-1', 'outputs/out/a b.txt'])).stdout).toBe('data');
    const { stdout } = await desk.run(['job', 'results', 'job-1', '--out', 'here', '--json']);
    const target = join(desk.folder, 'here', 'outputs', 'out', 'a b.txt');
    expect(JSON.parse(stdout)).toEqual({ files: [join(desk.folder, 'here', 'stdout'), target] });
    expect(await readFile(target, 'utf8')).toBe('data');
  });

  it('lists all files, however many pages they are on', async () => {
    const many = Array.from({ length: 1700 }, (_, at) => [`outputs/out/${at}`, bytes('x')] as const);
    complete(3, new Map(many));
    const { stdout } = await desk.run(['job', 'results', 'job-1', '--json']);
    const { items }: { items: { partition: number; files: { path: string }[] }[] } = JSON.parse(stdout);
    expect(items.map(({ partition, files: listed }) => [partition, listed.length])).toEqual([
      [0, 1700],
      [1, 1700],
      [2, 1700],
    ]);
    expect(new Set(items[1]?.files.map(({ path }) => path)).size).toBe(1700);
  });

  it('keeps partitions apart', async () => {
    complete(2, files);
    await desk.run(['job', 'results', 'job-1', '--out', 'here']);
    expect(await readFile(join(desk.folder, 'here', 'p1', 'stdout'), 'utf8')).toBe('hello');
  });

  it('writes all others beside a file with a name that is not safe', async () => {
    complete(
      1,
      new Map([
        ['a//b', bytes('x')],
        ['\u001b[31mred/..', bytes('y')],
        ['stdout', bytes('hello')],
      ]),
    );
    const { exitCode, stderr } = await desk.run(['job', 'results', 'job-1', '--out', 'here']);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /RESULTS_INCOMPLETE: 2 result files .*\n {2}"a\/\/b": its name .*\n {2}"\\u001b\[31mred\/\.\.": its name /,
    );
    expect(await readFile(join(desk.folder, 'here', 'stdout'), 'utf8')).toBe('hello');
    expect(await readdir(join(desk.folder, 'here'))).toEqual(['stdout']);
  });

  it.each(['../escaped', 'a/../../escaped', '/escaped', 'a//b', 'a/.', 'nul\0'])(
    'writes nothing for the path %j: it came from a stranger',
    async (path) => {
      complete(1, new Map([[path, bytes('x')]]));
      const { exitCode, stderr } = await desk.run(['job', 'results', 'job-1', '--out', 'here']);
      expect(exitCode).toBe(1);
      expect(stderr).toContain(`RESULTS_INCOMPLETE: One result file is not written`);
      expect(stderr).toContain(JSON.stringify(path));
    },
  );

  it('goes on behind a file that it cannot write or have', async () => {
    const named = new Map([
      ['outputs/out//x', bytes('x')],
      ['outputs/out/é', bytes('accent')],
      ['outputs/out/é/below', bytes('never')],
      ['outputs/out/z', bytes('last')],
    ]);
    complete(1, named);
    const { exitCode, stdout, stderr } = await desk.run([
      'job',
      'results',
      'job-1',
      '--out',
      'here',
      '--json',
    ]);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      files: [expect.stringMatching(/é$/), expect.stringMatching(/z$/)],
      leftOut: [
        { path: 'outputs/out//x', code: 'RESULT_PATH_UNSAFE' },
        { path: 'outputs/out/é/below', code: 'FILE_NOT_WRITTEN' },
      ],
    });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'RESULTS_INCOMPLETE' } });
  });

  it('lets a very long name push its own line only', async () => {
    const long = `outputs/out/${'x'.repeat(200)}`;
    const edge = 'e'.repeat(40);
    complete(1, new Map(['stdout', long, edge].map((path) => [path, bytes('hello')])));
    const [head, ...lines] = (await desk.run(['job', 'results', 'job-1'])).stdout.trimEnd().split('\n');
    expect(head).toBe(`PARTITION  PATH${' '.repeat(36)}  SIZE  CID`);
    const line = (path: string) => lines.find((text) => text.includes(` ${path} `));
    expect(line('stdout')).toMatch(/^0 {10}stdout {36}5 B {3}\S+$/);
    expect(line(edge)).toMatch(/^0 {10}e{40} {2}5 B {3}\S+$/);
    expect(line(long)).toMatch(/^0 {10}outputs\/out\/x{200} {2}5 B {3}\S+$/);
  });

  it('lists one file in one line, whatever its name', async () => {
    complete(1, new Map([['a\nb\tc\u001b[31m', bytes('x')]]));
    for (const tty of [true, false]) {
      const { stdout } = await desk.run(['job', 'results', 'job-1'], { tty });
      expect(stdout.split('\n')[1]).toMatch(/^0 +a␊b␉c␛\[31m +1 B/);
    }
  });

  it.each([
    [['results', 'job-1', '../../job-2']],
    [['results', 'job-1', './stdout']],
    [['results', '..']],
    [['get', '..']],
    [['get', '.']],
    [['get', '']],
    [['cancel', '..']],
    [['explain', '..']],
    [['events', '..']],
    [['events', '..', '--follow']],
    [['logs', '..']],
  ])('job %j asks for nothing outside of what it names', async (argv) => {
    complete(1, files);
    const { exitCode, stdout, stderr } = await desk.run(['job', ...argv]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain('USAGE');
  });
});
