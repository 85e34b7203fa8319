import { pbkdf2Sync, scryptSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { driversFor, isolationOf, type Isolation, type Job, runJob } from '../sandbox-run.ts';

/** Prints the value of each call by its name, or the kind and the words of its error. */
const TELL = `
import json
def tell(**calls):
    found = {}
    for name, call in calls.items():
        try:
            found[name] = call()
        except BaseException as error:
            found[name] = f'{type(error).__name__}: {error}'
    print(json.dumps(found))
`;

/** Each starts a Python or two, and imports much of the standard library. */
const SLOW = { timeout: 30_000 };
const WHERE = '(see "Python" in specs/sandbox.md)';
const ONE_PROCESS = 'a program here is one process and cannot start another';

const drivers = { process: driversFor('process'), bubblewrap: driversFor('bubblewrap') };

async function told(
  program: string,
  job: Partial<Job> = {},
  isolation: Isolation = 'process',
): Promise<unknown> {
  const { stdout, stderr } = await runJob(drivers[isolation], {
    engine: 'python',
    ...job,
    program: `${TELL}${program}`,
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

describe.each<Isolation>(['process', 'bubblewrap'])('Python, isolated by %s', SLOW, (isolation) => {
  it('takes turns with asyncio', async ({ skip }) => {
    if ((await isolationOf(drivers[isolation])) !== isolation)
      skip('bwrap is not there or does not work here');
    const program = `
import asyncio, sys, time
async def worker(queue, done):
    while True:
        item = await queue.get()
        await asyncio.sleep(0.001 * item)
        done.append(item)
        queue.task_done()
async def queues():
    queue, done = asyncio.Queue(), []
    workers = [asyncio.create_task(worker(queue, done)) for _ in range(3)]
    for item in range(9): queue.put_nowait(item)
    await queue.join()
    for task in workers: task.cancel()
    return sorted(done), [type(end).__name__ for end in await asyncio.gather(*workers, return_exceptions=True)]
async def late():
    async with asyncio.timeout(0.01): await asyncio.sleep(30)
async def at_once():
    started = time.monotonic()
    await asyncio.gather(*(asyncio.sleep(0.1) for _ in range(20)))
    return time.monotonic() - started < 1
async def group():
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(asyncio.sleep(0, n)) for n in range(3)]
    return [task.result() for task in tasks]
async def piped():
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return [(await reader.readline()).decode(), (await reader.read()).decode()]
async def blocking(): return await asyncio.to_thread(sum, [1, 2])
async def failing(): return await asyncio.to_thread(int, 'x')
async def forever(): await asyncio.Event().wait()
def own_loop():
    loop = asyncio.new_event_loop()
    loop.call_later(0.01, loop.stop)
    loop.run_forever()
    loop.close()
    return loop.is_closed()
tell(queues=lambda: asyncio.run(queues()), late=lambda: asyncio.run(late()), at_once=lambda: asyncio.run(at_once()),
     group=lambda: asyncio.run(group()), blocking=lambda: asyncio.run(blocking()), own_loop=own_loop,
     failing=lambda: asyncio.run(failing()), forever=lambda: asyncio.run(forever()),
     piped=lambda: asyncio.run(piped()))
`;
    expect(await told(program, { stdin: 'first\nrest' }, isolation)).toEqual({
      queues: [
        [0, 1, 2, 3, 4, 5, 6, 7, 8],
        ['CancelledError', 'CancelledError', 'CancelledError'],
      ],
      late: 'TimeoutError: ',
      at_once: true,
      group: [0, 1, 2],
      blocking: 3,
      own_loop: true,
      failing: "ValueError: invalid literal for int() with base 10: 'x'",
      piped: ['first\n', 'rest'],
      forever: `RuntimeError: everything waits and nothing is left that could wake it: there are no threads or sockets ${WHERE}`,
    });
  });

  it('says what is missing where a program runs into it', async ({ skip }) => {
    if ((await isolationOf(drivers[isolation])) !== isolation)
      skip('bwrap is not there or does not work here');
    const program = `
import asyncio, importlib, importlib.util, os, socket, subprocess, threading, urllib.request
from concurrent import futures
module = importlib.import_module
tell(thread=lambda: threading.Thread(target=print).start(), pool=lambda: futures.ThreadPoolExecutor(),
     connect=lambda: socket.create_connection(('a', 1)), socket=lambda: socket.socket(), host=lambda: socket.gethostname(),
     url=lambda: urllib.request.urlopen('http://a/'), run=lambda: subprocess.run(['ls']), system=lambda: os.system('ls'),
     fork=lambda: os.fork(), open=lambda: asyncio.run(asyncio.open_connection('a', 1)),
     start=lambda: asyncio.run(asyncio.create_subprocess_exec('ls')), lzma=lambda: module('lzma'),
     ssl=lambda: module('ssl'), many=lambda: module('multiprocessing'), curses=lambda: module('curses'),
     numpy=lambda: module('numpy'), below=lambda: module('numpy.linalg'), own=lambda: module('json.nothing'),
     asked=lambda: importlib.util.find_spec('numpy'), has=lambda: hasattr(os, 'fork'), odd=lambda: os.nothing)
`;
    const network = `[Errno 58] there is no network here: what a program needs comes as inputs ${WHERE}`;
    const threads = 'Python on WebAssembly has';
    const packages =
      'there is the standard library and what a job brings as inputs, nothing can be installed';
    expect(await told(program, {}, isolation)).toEqual({
      thread: `RuntimeError: can't start new thread: ${threads} none, asyncio takes turns without ${WHERE}`,
      pool: `ModuleNotFoundError: No module named 'concurrent.futures.thread': ${threads} no threads; asyncio takes turns without ${WHERE}`,
      connect: `OSError: ${network}`,
      socket: `OSError: ${network}`,
      host: `OSError: ${network}`,
      url: `URLError: <urlopen error ${network}>`,
      run: `OSError: [Errno 58] ${ONE_PROCESS} ${WHERE}`,
      system: `AttributeError: module 'os' has no attribute 'system': ${ONE_PROCESS} ${WHERE}`,
      fork: `AttributeError: module 'os' has no attribute 'fork': ${ONE_PROCESS} ${WHERE}`,
      open: `OSError: ${network}`,
      start: `OSError: [Errno 58] ${ONE_PROCESS} ${WHERE}`,
      lzma: `ModuleNotFoundError: No module named '_lzma': lzma is not built in; gzip, bz2 and zlib are ${WHERE}`,
      ssl: `ModuleNotFoundError: No module named 'ssl': there is no network, and so no TLS ${WHERE}`,
      many: `ModuleNotFoundError: No module named 'multiprocessing': ${ONE_PROCESS}; count gives a job more of them ${WHERE}`,
      curses: `ModuleNotFoundError: No module named 'curses': this part of the standard library is not built in ${WHERE}`,
      numpy: `ModuleNotFoundError: No module named 'numpy': ${packages} ${WHERE}`,
      below: `ModuleNotFoundError: No module named 'numpy': ${packages} ${WHERE}`,
      own: "ModuleNotFoundError: No module named 'json.nothing'",
      asked: null,
      has: false,
      odd: "AttributeError: module 'os' has no attribute 'nothing'",
    });
  });
});

describe('Python', SLOW, () => {
  it('packs archives that can be read, and keeps modes that are set', async () => {
    const program = `
import os, pathlib, shutil, stat, tarfile, zipfile
os.makedirs('/tmp/d/sub')
for name in ('a.txt', 'sub/b.txt'): pathlib.Path('/tmp/d', name).write_text('x')
shutil.make_archive('/tmp/z', 'zip', '/tmp/d')
shutil.make_archive('/tmp/t', 'gztar', '/tmp/d')
def unpacked():
    with tarfile.open('/tmp/t.tar.gz') as tar: tar.extractall('/tmp/out', filter='data')
    os.chmod('/tmp/out/a.txt', 0o600)
    shutil.copy2('/tmp/out/a.txt', '/tmp/copy')
    return [oct(os.stat(path).st_mode) for path in ('/tmp/out/a.txt', '/tmp/out/sub/b.txt', '/tmp/copy')]
def fields():
    found, raw = os.stat('/tmp/d/a.txt'), os.lstat('/tmp/d/a.txt')
    return [found == raw, found.st_size, found.st_mtime_ns % 1_000_000, found.st_mtime == os.path.getmtime('/tmp/d/a.txt')]
tell(zip=lambda: {i.filename: oct(i.external_attr >> 16) for i in zipfile.ZipFile('/tmp/z.zip').infolist()},
     tar=lambda: {i.name: oct(i.mode) for i in tarfile.open('/tmp/t.tar.gz')}, unpacked=unpacked, fields=fields,
     open=lambda: oct(os.fstat(os.open('/tmp/d/a.txt', os.O_RDONLY)).st_mode), script=lambda: oct(pathlib.Path(__file__).stat().st_mode),
     missing=lambda: os.stat('/nowhere'), chmod=lambda: os.chmod('/nowhere', 0o644),
     terminal=lambda: [os.isatty(0), os.isatty(1), os.isatty(2)], pipes=lambda: [stat.S_ISFIFO(os.fstat(fd).st_mode) for fd in range(3)])
`;
    const [file, folder] = ['0o100644', '0o40755'];
    const nowhere = "FileNotFoundError: [Errno 44] No such file or directory: '/nowhere'";
    expect(await told(program)).toEqual({
      zip: { 'a.txt': file, 'sub/': folder, 'sub/b.txt': file },
      tar: { '.': '0o755', './a.txt': '0o644', './sub': '0o755', './sub/b.txt': '0o644' },
      unpacked: ['0o100600', file, '0o100600'],
      fields: [true, 1, 0, true],
      open: file,
      script: file,
      missing: nowhere,
      chmod: nowhere,
      terminal: [false, false, false],
      pipes: [true, true, true],
    });
  });

  it('derives keys as others do', async () => {
    const program = `
import hashlib
tell(sha1=lambda: hashlib.pbkdf2_hmac('sha1', b'password', b'salt', 3, 50).hex(),
     sha512=lambda: hashlib.pbkdf2_hmac('sha512', bytes(200), b's', 20).hex(),
     scrypt=lambda: hashlib.scrypt(b'password', salt=b'NaCl', n=32, r=2, p=3, dklen=70).hex(),
     odd=lambda: hashlib.scrypt(b'', salt=b'', n=3, r=1, p=1), much=lambda: hashlib.scrypt(b'', salt=b'', n=2**20, r=8, p=1),
     none=lambda: hashlib.pbkdf2_hmac('sha1', b'', b'', 0), unknown=lambda: hashlib.pbkdf2_hmac('rot13', b'', b'', 1))
`;
    const options = { cost: 32, blockSize: 2, parallelization: 3 };
    expect(await told(program)).toEqual({
      sha1: pbkdf2Sync('password', 'salt', 3, 50, 'sha1').toString('hex'),
      sha512: pbkdf2Sync(Buffer.alloc(200), 's', 20, 64, 'sha512').toString('hex'),
      scrypt: scryptSync('password', 'NaCl', 70, options).toString('hex'),
      odd: 'ValueError: n must be a power of 2.',
      much: 'ValueError: Invalid parameter combination for n, r, p, maxmem.',
      none: 'ValueError: iteration value must be greater than 0.',
      unknown: 'ValueError: unsupported hash type rot13',
    });
  });

  it('keeps every name that a file can have', async () => {
    const names = [
      'a:b',
      'back\\slash',
      'tab\there',
      'new\nline',
      'CON',
      'star*',
      'trail. ',
      '~',
      '$HOME',
      'x'.repeat(255),
      'é'.normalize('NFD'),
      '日本語',
      'emoji 😀',
    ];
    const program = `
import json, sys
for name in json.load(sys.stdin): open(name, 'w').write(name)
`;
    const { files, outcome } = await runJob(drivers.process, {
      engine: 'python',
      program,
      stdin: JSON.stringify(names),
      outputs: [],
    });
    expect(outcome.exitReason).toBe('completed');
    expect(files).toEqual(Object.fromEntries(names.map((name) => [`files:${name}`, name])));
  });

  it("shows a program its own PYTHONPATH and nothing of the sandbox's", async () => {
    const program = `
import os, sys
tell(env=lambda: os.environ.get('PYTHONPATH'), paths=lambda: sys.path[:2], module=lambda: __import__('helper').VALUE)
`;
    const job = { env: { PYTHONPATH: '/inputs' }, inputs: { '/inputs/helper.py': 'VALUE = 42' } };
    expect(await told(program, job)).toEqual({
      env: '/inputs',
      paths: ['/job', '/inputs'],
      module: 42,
    });
    expect(await told(program)).toMatchObject({ env: null });
  });
});
