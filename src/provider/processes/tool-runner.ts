import { type ChildProcess, spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import { startTool } from './inherited.ts';

export type ToolRun =
  | {
      readonly outcome: 'ended';
      /** `undefined` when a signal ended it. */
      readonly exitCode: number | undefined;
      readonly stdout: string;
      readonly stderr: string;
    }
  /** No folder of the search path has an executable of that name. */
  | { readonly outcome: 'missing' }
  /** Still running at its limit; it and its children were killed. */
  | { readonly outcome: 'timeout' }
  /** Printed more than allowed; it and its children were killed. */
  | { readonly outcome: 'output-limit' }
  | { readonly outcome: 'not-started'; readonly message: string };

export interface RunLimits {
  readonly timeoutMs: number;
  /** Standard output and standard error together. */
  readonly outputBytes: number;
}

export interface ToolLimits extends RunLimits {
  /** Folders as in PATH; relative ones are passed over. */
  readonly searchPath: string;
}

/** Runs a short-lived program of this machine without a shell. Never rejects, and settles within `timeoutMs`. */
export type RunTool = (name: string, args: readonly string[], limits: ToolLimits) => Promise<ToolRun>;

/** The tool runs with this process's environment, no standard input, and a process group of its own. */
export function createToolRunner(clock: Clock): RunTool {
  return async (name, args, limits) => {
    const path = await findExecutable(name, limits.searchPath);
    if (path === undefined) return { outcome: 'missing' };
    return runExecutable(clock, path, args, undefined, limits);
  };
}

async function findExecutable(name: string, searchPath: string): Promise<string | undefined> {
  for (const folder of searchPath.split(delimiter)) {
    if (!isAbsolute(folder)) continue;
    const path = join(folder, name);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

/** Like {@link RunTool}, for a program whose place is known. Without an `env` it has the one of this process. */
export function runExecutable(
  clock: Clock,
  path: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv | undefined,
  limits: RunLimits,
): Promise<ToolRun> {
  return new Promise((resolve) => {
    const child = startTool(['ignore', 'pipe', 'pipe'], (stdio) =>
      spawn(path, args, { env, stdio, detached: true }),
    );
    const printed = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[], bytes: 0 };

    let settled = false;
    const settle = (run: ToolRun): void => {
      if (settled) return;
      settled = true;
      timer.cancel();
      endGroup(child);
      resolve(run);
    };
    const timer = clock.after(limits.timeoutMs, () => settle({ outcome: 'timeout' }));
    const collect = (chunks: Uint8Array[]) => (chunk: Uint8Array) => {
      printed.bytes += chunk.length;
      if (printed.bytes > limits.outputBytes) settle({ outcome: 'output-limit' });
      else chunks.push(chunk);
    };

    child.stdout?.on('data', collect(printed.stdout));
    child.stderr?.on('data', collect(printed.stderr));
    child.on('error', (error) => settle({ outcome: 'not-started', message: messageOf(error) }));
    child.on('close', (exitCode) =>
      settle({
        outcome: 'ended',
        exitCode: exitCode ?? undefined,
        stdout: Buffer.concat(printed.stdout).toString('utf8'),
        stderr: Buffer.concat(printed.stderr).toString('utf8'),
      }),
    );
  });
}

/** Kills what is left of the tool's process group: a script that hangs usually hangs in a child of its own. */
function endGroup(child: ChildProcess): void {
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // ESRCH: the whole group has ended by itself.
  }
}
