import { createHash } from 'node:crypto';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  driversFor,
  isolationOf,
  type Isolation,
  type Job,
  type JobResult,
  MIB,
  runJob,
} from '../sandbox-run.ts';

/** Calls each function and prints its name with its value or the kind of its error. */
const ATTEMPTS = `
import json, os
def attempt(**calls):
    found = {}
    for name, call in calls.items():
        try:
            found[name] = call()
        except Exception as error:
            found[name] = type(error).__name__
    print(json.dumps(found))
`;

describe.each<Isolation>(['process', 'bubblewrap'])('a Python script, isolated by %s', (isolation) => {
  const drivers = driversFor(isolation);
  let works = false;
  const run = async (job: Job, skip: (note: string) => void): Promise<JobResult> => {
    if (!works) skip('bwrap is not there or does not work here');
    return runJob(drivers, { engine: 'python', ...job });
  };
  const attempts = async (
    calls: string,
    job: Partial<Job>,
    skip: (note: string) => void,
  ): Promise<unknown> => {
    const { stdout, stderr } = await run({ ...job, program: `${ATTEMPTS}attempt(${calls})` }, skip);
    expect(stderr).toBe('');
    return JSON.parse(stdout);
  };

  beforeAll(async () => {
    works = (await isolationOf(drivers)) === isolation;
  }, 30_000);

  it('turns an input into an output with csv and json', async ({ skip }) => {
    const { outcome, stdout, files } = await run(
      {
        program: `
import csv, json, os, sys
rows = list(csv.DictReader(open('/inputs/data.csv')))
os.makedirs('/outputs/deep/er')
with open('/outputs/deep/er/sum.json', 'w') as file:
    json.dump({'sum': sum(int(row['n']) for row in rows), 'args': sys.argv[1:], 'k': os.environ['K']}, file)
open('/outputs/copy.csv', 'w').write(open('/inputs/data.csv').read())
print(sys.stdin.readline().strip(), sys.version.split()[0])
`,
        args: ['x', 'ü'],
        env: { K: 'v' },
        stdin: 'line\nrest',
        inputs: { '/inputs/data.csv': 'n,m\n1,2\n41,3\n' },
      },
      skip,
    );
    expect(outcome).toMatchObject({ exitReason: 'completed', exitCode: 0 });
    expect(stdout).toBe('line 3.12.0\n');
    expect(files).toEqual({
      'out:deep/er/sum.json': '{"sum": 42, "args": ["x", "\\u00fc"], "k": "v"}',
      'out:copy.csv': 'n,m\n1,2\n41,3\n',
    });
  });

  it('leaves what it writes where it starts as the result, if no outputs are named', async ({ skip }) => {
    const { outcome, stderr, files } = await run(
      {
        program: `
import os, tempfile
open('result.csv', 'w').write('a,b')
os.makedirs('/plots/first')
os.chdir('plots')
open('first/one.txt', 'w').write('1')
with tempfile.NamedTemporaryFile(delete=False) as file: file.write(b'gone')
os.mkdir('/tmp/folder'); open('/tmp/folder/gone', 'w').write('gone')
`,
        inputs: { '/data/in.csv': 'in', '/beside.csv': 'in' },
        outputs: [],
      },
      skip,
    );
    expect([outcome.exitReason, stderr]).toEqual(['completed', '']);
    expect(files).toEqual({ 'files:result.csv': 'a,b', 'files:plots/first/one.txt': '1' });
  });

  it('can write where it starts beside its outputs, which alone are the result', async ({ skip }) => {
    const program = 'open("notes", "w").write("n")\nopen("/outputs/kept", "w").write(open("notes").read())';
    const { outcome, files } = await run({ program }, skip);
    expect(outcome.exitReason).toBe('completed');
    expect(files).toEqual({ 'out:kept': 'n' });
  });

  it('keeps the folders that it is given', async ({ skip }) => {
    const found = await attempts(
      `outputs=lambda: os.rmdir('/outputs'),
       tmp=lambda: os.rename('/tmp', '/other'),
       inputs=lambda: os.rename('/inputs', '/outputs/inputs'),
       script=lambda: os.remove('/job/main.py'),
       over=lambda: (os.mkdir('/new'), os.rename('/new', '/tmp')),
       own=lambda: os.rename('/new', '/newer')`,
      { inputs: { '/inputs/a': 'a' } },
      skip,
    );
    const refused = 'OSError';
    expect(found).toEqual({
      outputs: refused,
      tmp: refused,
      inputs: refused,
      script: refused,
      over: refused,
      own: null,
    });
  });

  it('reads megabytes of bytes from its standard input', async ({ skip }) => {
    const stdin = new Uint8Array(3 * MIB).map((_, index) => index % 251);
    const program = `
import hashlib, sys
first = sys.stdin.buffer.read(7)
rest = sys.stdin.buffer.read()
print(list(first), len(rest), hashlib.sha256(first + rest).hexdigest(), sys.stdin.buffer.read())
`;
    const { outcome, stdout } = await run({ program, stdin }, skip);
    expect(outcome.exitReason).toBe('completed');
    const digest = createHash('sha256').update(stdin).digest('hex');
    expect(stdout).toBe(`[0, 1, 2, 3, 4, 5, 6] ${3 * MIB - 7} ${digest} b''\n`);
  });

  it('ends with output-limit when it prints line after line', async ({ skip }) => {
    const limits = { outputBytes: 65_536 };
    const { outcome, printedBytes } = await run(
      { program: 'while True: print("no end of it")', limits },
      skip,
    );
    expect(outcome).toMatchObject({ exitReason: 'output-limit' });
    expect(printedBytes).toBeGreaterThan(limits.outputBytes - 64);
    expect(printedBytes).toBeLessThanOrEqual(limits.outputBytes);
  });

  it('finds nothing of the host, whatever way it tries', async ({ skip }) => {
    const found = await attempts(
      `root=lambda: sorted(os.listdir('/')),
       passwd=lambda: open('/etc/passwd').read(),
       above=lambda: open('/../../../../etc/passwd').read(),
       relative=lambda: open('../etc/passwd').read(),
       proc=lambda: os.listdir('/proc'),
       link=lambda: os.symlink('/etc', '/outputs/etc'),
       hard=lambda: os.link('/inputs/a', '/outputs/a'),
       cwd=lambda: os.getcwd(),
       env=lambda: sorted(os.environ),
       process=lambda: os.system('ls')`,
      { inputs: { '/inputs/a': 'a' } },
      skip,
    );
    expect(found).toEqual({
      root: ['inputs', 'job', 'outputs', 'tmp'],
      passwd: 'FileNotFoundError',
      above: 'PermissionError',
      relative: 'PermissionError',
      proc: 'FileNotFoundError',
      link: 'OSError',
      hard: 'OSError',
      cwd: '/',
      env: ['PYTHONDONTWRITEBYTECODE'],
      process: 'AttributeError',
    });
  });

  it('reads its inputs and cannot change them', async ({ skip }) => {
    const found = await attempts(
      `read=lambda: open('/inputs/a').read(),
       write=lambda: open('/inputs/a', 'w'),
       append=lambda: open('/inputs/a', 'a'),
       truncate=lambda: os.truncate('/inputs/a', 0),
       remove=lambda: os.remove('/inputs/a'),
       rename=lambda: os.rename('/inputs/a', '/outputs/a'),
       beside=lambda: open('/inputs/b', 'w'),
       over=lambda: os.rename('/job/main.py', '/inputs/a'),
       touch=lambda: os.utime('/inputs/a', (1, 1)),
       still=lambda: open('/inputs/a').read()`,
      { inputs: { '/inputs/a': 'content' } },
      skip,
    );
    const refused = 'OSError';
    expect(found).toEqual({
      read: 'content',
      write: refused,
      append: refused,
      truncate: refused,
      remove: refused,
      rename: refused,
      beside: refused,
      over: refused,
      touch: refused,
      still: 'content',
    });
  });

  it('sees an input folder, but not what its links lead to', async ({ skip }) => {
    const inputs: { target: string; hostPath: string }[] = [];
    const prepare = async (base: string): Promise<void> => {
      const hostPath = join(base, 'folder');
      await mkdir(join(hostPath, 'inner'), { recursive: true });
      await writeFile(join(hostPath, 'inner', 'a'), 'text');
      await symlink('/etc', join(hostPath, 'etc'));
      await symlink('inner/a', join(hostPath, 'b'));
      inputs.push({ target: '/data', hostPath });
    };
    if (!works) skip('bwrap is not there or does not work here');
    const { stdout } = await runJob(drivers, {
      altered: { inputs },
      engine: 'python',
      program: `${ATTEMPTS}attempt(walk=lambda: list(os.walk('/data')), a=lambda: open('/data/inner/a').read())`,
      prepare,
    });
    expect(JSON.parse(stdout)).toEqual({
      walk: [
        ['/data', ['inner'], []],
        ['/data/inner', [], ['a']],
      ],
      a: 'text',
    });
  });

  it('refuses names and depths that no folder should hold', async ({ skip }) => {
    const found = await attempts(
      `long=lambda: open('/outputs/' + 'x' * 256, 'w'),
       path=lambda: open('/outputs/' + 'x/' * 3000 + 'y', 'w'),
       deep=lambda: os.makedirs('/outputs/' + 'd/' * 200),
       surrogate=lambda: open(b'/outputs/\\xff\\xfe', 'w')`,
      { limits: { outputFiles: 500 } },
      skip,
    );
    expect(found).toEqual({ long: 'OSError', path: 'OSError', deep: 'OSError', surrogate: 'OSError' });
  });

  it('hands over a file as deep as folders go, and fails by itself beyond', async ({ skip }) => {
    const program = `
import os
def deep(depth):
    path = '/outputs/' + 'd/' * depth
    os.makedirs(path)
    open(path + 'file', 'w').write(str(depth))
deep(31)
deep(63)
print('so far')
deep(64)
`;
    const { outcome, stdout, stderr, files } = await run({ program, limits: { outputFiles: 200 } }, skip);
    expect(outcome).toMatchObject({ exitReason: 'exit-code', exitCode: 1 });
    expect(stderr).toContain('Filename too long');
    expect(stdout).toBe('so far\n');
    expect(files).toEqual({ [`out:${'d/'.repeat(31)}file`]: '31', [`out:${'d/'.repeat(63)}file`]: '63' });
  });

  it('shows what it prints at once', async ({ skip }) => {
    const abort = new AbortController();
    const { outcome, stdout } = await run(
      {
        program: 'print("working")\nwhile True: pass',
        signal: abort.signal,
        printed: () => abort.abort(),
      },
      skip,
    );
    expect(outcome).toMatchObject({ exitReason: 'cancelled' });
    expect(stdout).toContain('working');
  });

  it('shows the last of many small prints while it computes', async ({ skip }) => {
    const abort = new AbortController();
    let seen = '';
    const { outcome } = await run(
      {
        program:
          'import sys\nfor c in "abcdef": print(c, file=sys.stderr if c == "d" else None)\nwhile True: pass',
        signal: abort.signal,
        printed: (text) => {
          seen += text;
          if (seen.includes('f\n')) abort.abort();
        },
      },
      skip,
    );
    expect(outcome).toMatchObject({ exitReason: 'cancelled' });
    expect(seen).toBe('a\nb\nc\nd\ne\nf\n');
  });

  it('prints line after line in few pieces, in order, and none is lost', async ({ skip }) => {
    let pieces = 0;
    const { stdout } = await run(
      {
        program: 'for i in range(20000): print(i)',
        printed: () => {
          pieces += 1;
        },
      },
      skip,
    );
    expect(stdout).toBe(Array.from({ length: 20_000 }, (_, index) => `${index}\n`).join(''));
    expect(pieces).toBeLessThan(2000);
  });

  it('shows a line that has no end yet while it computes', async ({ skip }) => {
    const abort = new AbortController();
    let seen = '';
    await run(
      {
        program: `
import sys
print('name? ', end='')
for step in range(3):
    sys.stdout.write(f'\\r{step} of 3')
while True:
    pass`,
        signal: abort.signal,
        printed: (text) => {
          seen += text;
          if (seen.endsWith('2 of 3')) abort.abort();
        },
      },
      skip,
    );
    expect(seen).toBe('name? \r0 of 3\r1 of 3\r2 of 3');
  });

  it('prints pieces of every size by every way in order, and loses none when it leaves at once', async ({
    skip,
  }) => {
    const { outcome, stdout, stderr } = await run(
      {
        program: `
import os, sys
for round, size in enumerate((0, 1, 63, 64, 65, 16383, 16384, 16385, 65536, 65537, 200000)):
    print(chr(97 + round) * size, end='')
    print('|', round)
    sys.stdout.buffer.write(b'bytes\\n')
    os.write(1, b'descriptor\\n')
    sys.stderr.write(f'{round}\\n')
print('last', end='')
os._exit(3)`,
      },
      skip,
    );
    const sizes = [0, 1, 63, 64, 65, 16_383, 16_384, 16_385, 65_536, 65_537, 200_000];
    const rounds = sizes.map(
      (size, round) => `${String.fromCodePoint(97 + round).repeat(size)}| ${round}\nbytes\ndescriptor\n`,
    );
    expect(outcome).toMatchObject({ exitReason: 'exit-code', exitCode: 3 });
    expect(stdout).toBe(`${rounds.join('')}last`);
    expect(stderr).toBe(sizes.map((_, round) => `${round}\n`).join(''));
  });

  it('prints before a failure what came before it', async ({ skip }) => {
    const { stdout, stderr } = await run(
      { program: "for i in range(500): print(i)\nprint('half', end='')\nraise ValueError('no')" },
      skip,
    );
    expect(stdout).toBe(`${Array.from({ length: 500 }, (_, index) => `${index}\n`).join('')}half`);
    expect(stderr).toMatch(/^Traceback[\s\S]+ValueError: no\n$/);
  });

  it('fails with its own exit code and keeps what it wrote', async ({ skip }) => {
    const job = { program: 'open("/outputs/log", "w").write("so far")\nraise SystemExit(3)' };
    const { outcome, files } = await run(job, skip);
    expect(outcome).toMatchObject({ exitReason: 'exit-code', exitCode: 3 });
    expect(files).toEqual({ 'out:log': 'so far' });
  });

  it('writes more than fits in memory and reads it back', async ({ skip }) => {
    const { outcome, stdout } = await run(
      {
        program: `
import zlib
pieces = [bytes([n]) * 999_983 for n in range(40)]
with open('/tmp/big', 'w+b') as file:
    for piece in pieces: file.write(piece)
    file.seek(0)
    print(zlib.crc32(file.read()) == zlib.crc32(b''.join(pieces)))
`,
        limits: { outputBytes: 64 * MIB, memoryBytes: 256 * MIB },
      },
      skip,
    );
    expect([outcome.exitReason, stdout]).toEqual(['completed', 'True\n']);
  });
});
