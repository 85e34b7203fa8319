import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Clock, within } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';

export interface NodeProcessOptions {
  /** The Node.js to run, and the node's entry file. */
  readonly nodePath: string;
  readonly mainPath: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readyTimeoutMs: number;
}

/** A Bidmesh node in a process of its own. */
export interface NodeProcess {
  readonly pid: number;
  /** Where its HTTP interface listens. */
  readonly api: string;
  readonly peerId: string;
  readonly multiaddrs: readonly string[];
  /** From the spawn to the ready line. */
  readonly readyAfterMs: number;
  /** Settles when the process is gone. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Asks it to stop and waits; a node that does not is killed. */
  stop(): Promise<void>;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
}

const STOP_GRACE_MS = 8000;
const KEPT_ERROR_LINES = 20;

/** Starts a node and waits for its ready line. Throws `NODE_NOT_READY` with what it last said. */
export async function startNodeProcess(options: NodeProcessOptions, clock: Clock): Promise<NodeProcess> {
  const startedAtMs = clock.monotonicMs();
  const child = spawn(options.nodePath, [options.mainPath, 'start', '--json', ...options.args], {
    env: { ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const errors: string[] = [];
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', (error) => {
      errors.push(error.message);
      resolve({ code: null, signal: null });
    });
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    errors.push(line);
    if (errors.length > KEPT_ERROR_LINES) errors.shift();
  });
  const ready = new Promise<ReadyLine | undefined>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => resolve(parseReadyLine(line) ?? undefined));
    void exited.then(() => resolve(undefined));
  });
  const line = await within(clock, options.readyTimeoutMs, ready, () => undefined);
  if (line === undefined || child.pid === undefined) {
    child.kill('SIGKILL');
    throw new CodedError('NODE_NOT_READY', `A node did not get ready. It last said:\n${errors.join('\n')}`);
  }
  return {
    pid: child.pid,
    ...line,
    readyAfterMs: clock.monotonicMs() - startedAtMs,
    exited,
    stop: () => stop(child, exited, clock),
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

interface ReadyLine {
  readonly api: string;
  readonly peerId: string;
  readonly multiaddrs: readonly string[];
}

function parseReadyLine(line: string): ReadyLine | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null) return undefined;
    const { api, peerId, multiaddrs } = value as Record<string, unknown>;
    if (typeof api !== 'string' || typeof peerId !== 'string' || !Array.isArray(multiaddrs)) return undefined;
    return { api, peerId, multiaddrs: multiaddrs.map(String) };
  } catch {
    return undefined;
  }
}

async function stop(child: ChildProcess, exited: Promise<unknown>, clock: Clock): Promise<void> {
  child.kill('SIGTERM');
  const inTime = await within(clock, STOP_GRACE_MS, exited, () => undefined);
  if (inTime === undefined) {
    child.kill('SIGKILL');
    await exited;
  }
}
