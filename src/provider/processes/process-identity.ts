import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** What Linux calls USER_HZ; it is 100 on every platform that Node runs on. */
const TICKS_PER_SECOND = 100;
const PS_TIMEOUT_MS = 2000;
/** The program text of Node.js, where the system does not tell it apart. */
const SHARED_BYTES = 48 * 1024 * 1024;

/** A process as the system sees it now. */
export interface ProcessSample {
  /** With the pid, tells this process from any other that had or will have the same pid. */
  readonly startTimeTicks: number;
  readonly cpuMs: number;
  readonly residentBytes: number;
  /** Of that, what it does not share with other processes of the same program. */
  readonly ownBytes: number;
}

/** Reads a running process; `undefined` where there is none, or one that has ended but is not yet reaped. */
export async function sampleProcess(pid: number): Promise<ProcessSample | undefined> {
  try {
    const [stat, status] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
    ]);
    return parseSample(stat, status);
  } catch {
    return (await hasProc()) ? undefined : sampleWithPs(pid);
  }
}

/** From the texts of `/proc/PID/stat` and `/proc/PID/status`. */
export function parseSample(stat: string, status: string): ProcessSample | undefined {
  // The command name stands in parentheses and may contain anything, also parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const [userTicks, systemTicks, startTimeTicks] = [fields[11], fields[12], fields[19]].map(Number);
  if (state === undefined || state === 'Z' || state === 'X') return undefined;
  if (userTicks === undefined || systemTicks === undefined || startTimeTicks === undefined) return undefined;
  if (!Number.isSafeInteger(startTimeTicks)) return undefined;
  const kib = (name: string): number | undefined => {
    const text = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
    return text === undefined ? undefined : Number(text);
  };
  const residentBytes = (kib('VmRSS') ?? 0) * 1024;
  const anonymousKib = kib('RssAnon');
  return {
    startTimeTicks,
    cpuMs: ((userTicks + systemTicks) * 1000) / TICKS_PER_SECOND,
    residentBytes,
    ownBytes:
      anonymousKib === undefined
        ? withoutShared(residentBytes)
        : (anonymousKib + (kib('RssShmem') ?? 0)) * 1024,
  };
}

function withoutShared(residentBytes: number): number {
  return Math.max(0, residentBytes - SHARED_BYTES);
}

let procFound: Promise<boolean> | undefined;

function hasProc(): Promise<boolean> {
  procFound ??= readFile('/proc/self/stat').then(
    () => true,
    () => false,
  );
  return procFound;
}

/** Systems without `/proc`: whole seconds, counted in ticks. */
async function sampleWithPs(pid: number): Promise<ProcessSample | undefined> {
  try {
    const { stdout } = await run('ps', ['-o', 'rss=,etime=,lstart=', '-p', String(pid)], {
      env: { LC_ALL: 'C', TZ: 'UTC', PATH: '/bin:/usr/bin' },
      timeout: PS_TIMEOUT_MS,
    });
    return parsePs(stdout);
  } catch {
    return undefined;
  }
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** From `ps -o rss=,etime=,lstart=` in the C locale; the start becomes a number that grows with time. */
export function parsePs(line: string): ProcessSample | undefined {
  const match = /^\s*(\d+)\s+\S+\s+\w{3}\s+(\w{3})\s+(\d+)\s+(\d+):(\d+):(\d+)\s+(\d+)\s*$/.exec(line);
  if (match === null) return undefined;
  const [, rss, month, ...rest] = match;
  const [day = 0, hour = 0, minute = 0, second = 0, year = 0] = rest.map(Number);
  const days = (year * 12 + MONTHS.indexOf(month ?? '')) * 31 + day;
  const startTimeTicks = (((days * 24 + hour) * 60 + minute) * 60 + second) * TICKS_PER_SECOND;
  const residentBytes = Number(rss) * 1024;
  return { startTimeTicks, cpuMs: 0, residentBytes, ownBytes: withoutShared(residentBytes) };
}
