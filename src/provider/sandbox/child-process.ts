import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { type Clock, within } from '../../lib/clock.ts';
import { CodedError } from '../../lib/coded-error.ts';
import { INFO_FD } from './bubblewrap.ts';
import { onlyOwn } from '../processes/inherited.ts';
import { sampleProcess } from '../processes/process-identity.ts';

const INFO_TIMEOUT_MS = 5000;
const MAX_INFO_BYTES = 4096;
const MAX_STDERR_BYTES = 8192;

export interface SandboxCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Started through bubblewrap: the process that matters is the one it reports. */
  readonly wrapped: boolean;
  readonly spoolFd: number;
}

/** One child, from its start to its end. */
export interface SandboxProcess {
  readonly pid: number;
  readonly startTimeTicks: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Ends it at once, however busy it is. Safe to call at any time. */
  kill(): void;
  /** Settles when it has ended and all it wrote has been read. */
  readonly closed: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** The end of what the runtime itself, not the program, wrote as errors. */
  complaint(): string;
}

/** Starts a child with an empty environment. Throws `SANDBOX_START` when that fails. */
export async function startSandboxProcess(command: SandboxCommand, clock: Clock): Promise<SandboxProcess> {
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: {},
    detached: true,
    stdio: onlyOwn(
      ['pipe', 'pipe', 'pipe', command.spoolFd, ...(command.wrapped ? (['pipe'] as const) : [])],
      command.spoolFd,
    ),
  });
  const closed = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const complaint = collectTail(child.stderr);
  let wrapped: number | undefined;
  let open = true;
  void closed.then(() => {
    open = false;
  });
  const kill = (): void => {
    // bwrap's own child dies with it, but not yet in its first moments; so that one is ended first.
    if (wrapped !== undefined && open) killProcess(wrapped);
    child.kill('SIGKILL');
  };
  try {
    const spawned = await spawnedPid(child);
    wrapped = command.wrapped ? await wrappedPid(child, clock) : undefined;
    const pid = wrapped ?? spawned;
    const sample = await sampleProcess(pid);
    if (sample === undefined || child.stdin === null || child.stdout === null) {
      throw new CodedError('SANDBOX_START', 'The sandbox ended before it was running.');
    }
    // Writing to a child that has just ended is no event of its own: `closed` tells of it.
    child.stdin.on('error', () => {});
    const { startTimeTicks } = sample;
    const { stdin, stdout } = child;
    return { pid, startTimeTicks, stdin, stdout, kill, closed, complaint };
  } catch (error) {
    kill();
    throw new CodedError('SANDBOX_START', `The sandbox cannot be started: ${complaint()}`, { cause: error });
  }
}

/** Ends the process with this pid if it is still the one that started then. */
export async function endProcess(pid: number, startTimeTicks: number): Promise<void> {
  const sample = await sampleProcess(pid);
  if (sample?.startTimeTicks === startTimeTicks) killProcess(pid);
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended in between, or is not ours to end.
  }
}

function spawnedPid(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => {
      if (child.pid === undefined) reject(new CodedError('SANDBOX_START', 'The sandbox has no pid.'));
      else resolve(child.pid);
    });
  });
}

async function wrappedPid(child: ChildProcess, clock: Clock): Promise<number> {
  const info = child.stdio[INFO_FD];
  if (info === undefined || info === null || !('read' in info)) {
    throw new CodedError('SANDBOX_START', 'bwrap has no descriptor to report on.');
  }
  const text = await within(clock, INFO_TIMEOUT_MS, readAll(info), () => '');
  const pid = Number(/"child-pid":\s*(\d+)/.exec(text)?.[1]);
  if (!Number.isSafeInteger(pid)) throw new CodedError('SANDBOX_START', 'bwrap reported no process.');
  return pid;
}

async function readAll(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    if (text.includes('}') || text.length > MAX_INFO_BYTES) break;
  }
  return text;
}

function collectTail(stream: Readable | null): () => string {
  let tail = '';
  stream?.on('error', () => {});
  stream?.on('data', (chunk: Buffer) => {
    tail = (tail + chunk.toString('utf8')).slice(-MAX_STDERR_BYTES);
  });
  return () => tail.trim();
}
