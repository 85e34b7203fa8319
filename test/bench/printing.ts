import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { createAttemptFolders } from '../../src/provider/executions/attempt-folders.ts';
import { createDrivers } from '../../src/provider/engines/drivers.ts';
import type { TaskDriver, TaskOutcome } from '../../src/provider/task-driver.ts';
import { type Bench, percentile, round } from './figure.ts';

const run = promisify(execFile);
const LINES = 100_000;
const RUNS = 5;
const ENDLESS_PROGRAMS = 40;
const ENDLESS_MS = 20_000;
const LOOK_EVERY_MS = 200;
const MIB = 1024 * 1024;
const PRINTS = `for i in range(${LINES}):\n    print(i)\n`;
const PRINTS_WITHOUT_END = "while True:\n    print('x' * 1000)\n";
/** Runs a script and prints the processor time of the whole child, in ms; `PYTHONUNBUFFERED` and its like are not for it. */
const TIMED = `
import resource, subprocess, sys
subprocess.run([sys.executable, '-E', *sys.argv[1:]], stdout=subprocess.PIPE, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print((used.ru_utime + used.ru_stime) * 1000)
`;

/**
 * What programs cost that print much: processor time beside native Python, with `-u` as here, where each print is
 * seen at once, and with its own buffer, where none is; and memory of the node.
 */
export const printing: Bench = {
  name: 'printing',
  about:
    'processor time of 100 000 prints beside native Python, memory of a provider whose programs print without end',
  async run({ report, note }) {
    const folder = await mkdtemp(join(tmpdir(), 'bidmesh-printing-'));
    const driver = createDrivers({
      nodePath: process.execPath,
      searchPath: process.env['PATH'] ?? '',
      useBubblewrap: 'auto',
      clock: systemClock,
      random: systemRandom,
    }).find(({ engine }) => engine === 'python');
    if (driver === undefined) throw new Error('there is no Python');
    try {
      await driver.fingerprint();
      const script = join(folder, 'prints.py');
      await writeFile(script, PRINTS);
      const [ours, unbuffered, buffered]: [number[], number[], number[]] = [[], [], []];
      for (let turn = 0; turn < RUNS; turn += 1) {
        ours.push(await ourCpuMs(driver, folder, script, turn));
        unbuffered.push(await nativeCpuMs(['-u', script]));
        buffered.push(await nativeCpuMs([script]));
      }
      const value = percentile(ours, 0.5);
      for (const [label, floors] of [
        ['unbuffered', unbuffered],
        ['buffered', buffered],
      ] as const) {
        const floor = percentile(floors, 0.5);
        report({
          bench: 'printing',
          metric: `prints_cpu_to_${label}`,
          value: round(value, 0),
          unit: 'ms',
          floor: round(floor, 0),
          ratio: round(value / floor),
        });
      }
      note(`${ENDLESS_PROGRAMS} programs print for ${ENDLESS_MS / 1000} s`);
      report({
        bench: 'printing',
        metric: 'endless_rss_growth',
        unit: 'MB',
        ...(await endlessGrowth(driver, folder)),
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

async function nativeCpuMs(args: readonly string[]): Promise<number> {
  const { stdout } = await run('/usr/bin/python3', ['-c', TIMED, ...args]);
  return Number(stdout);
}

/** The child's time and that of this process, which takes its output away and writes it down. */
async function ourCpuMs(driver: TaskDriver, folder: string, script: string, turn: number): Promise<number> {
  const before = process.cpuUsage();
  const { outcome } = await attempt(driver, folder, `prints-${turn}`, script, new AbortController().signal);
  const { user, system } = process.cpuUsage(before);
  if (outcome.exitCode !== 0) throw new Error(outcome.message);
  return outcome.usage.cpuMs + (user + system) / 1000;
}

async function endlessGrowth(
  driver: TaskDriver,
  folder: string,
): Promise<{ readonly value: number; readonly printedMb: number }> {
  const script = join(folder, 'endless.py');
  await writeFile(script, PRINTS_WITHOUT_END);
  const before = await residentBytes();
  const abort = new AbortController();
  let printed = 0;
  const attempts = Array.from({ length: ENDLESS_PROGRAMS }, async (_, index) => {
    printed += (await attempt(driver, folder, `endless-${index}`, script, abort.signal)).printed;
  });
  let most = before;
  const end = performance.now() + ENDLESS_MS;
  while (performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    most = Math.max(most, await residentBytes());
  }
  abort.abort();
  await Promise.all(attempts);
  return { value: round((most - before) / 1e6, 1), printedMb: round(printed / 1e6, 0) };
}

async function attempt(
  driver: TaskDriver,
  folder: string,
  executionId: string,
  programPath: string,
  signal: AbortSignal,
): Promise<{ readonly outcome: TaskOutcome; readonly printed: number }> {
  const folders = createAttemptFolders(folder);
  const place = await folders.create(executionId);
  let printed = 0;
  const task = await driver.start(
    {
      executionId,
      folder: place.hostPath,
      run: 1,
      content: { script: programPath },
      params: {},
      args: [],
      env: {},
      stdin: '',
      inputs: [],
      outputs: [],
      limits: { wallClockMs: 600_000, memoryBytes: 16 * MIB, outputBytes: 256 * MIB, outputFiles: 10_000 },
    },
    {
      started: async () => {},
      output: (stream, bytes) => {
        printed += bytes.length;
        return place.append(stream, bytes);
      },
    },
    signal,
  );
  signal.addEventListener('abort', () => task.stop(0), { once: true });
  const outcome = await task.wait();
  await place.end();
  await folders.remove(executionId);
  return { outcome, printed };
}

async function residentBytes(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
