import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Api, createApi } from '../../../src/api/index.ts';
import { apiDefaults } from '../../../src/api/options.ts';
import type { CliEnvironment } from '../../../src/cli/environment.ts';
import type { RunningNode } from '../../../src/node/running-node.ts';
import { runCli } from '../../../src/cli/run.ts';
import { type Clock, systemClock } from '../../../src/lib/clock.ts';
import { type ScriptedNode, scriptedNode } from '../api/scripted-node.ts';

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly tty?: boolean;
  /** What is piped in. */
  readonly stdin?: string | Uint8Array;
  readonly clock?: Clock;
  readonly startNode?: CliEnvironment['startNode'];
  /** Called with a function that asks the process to stop. */
  readonly stopping?: (stop: () => void) => void;
  /** Called with everything on standard output so far, whenever there is more. */
  readonly watching?: (stdout: string) => void;
  /** What writing to standard output fails with once this much of it was taken. */
  readonly stdoutFails?: { readonly afterBytes: number; readonly code: string };
}

/** Runs one command line in this process, in a folder, against the node at `api`. */
export async function commandLine(
  argv: readonly string[],
  cwd: string,
  options: CommandOptions = {},
): Promise<Outcome> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({
    isTTY: options.tty ?? false,
    write: async (chunk: string | Uint8Array) => {
      const { afterBytes, code } = options.stdoutFails ?? { afterBytes: Number.POSITIVE_INFINITY, code: '' };
      if (name === 'stdout' && written.stdout.length >= afterBytes) {
        throw Object.assign(new Error(`write ${code}`), { code });
      }
      written[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
      if (name === 'stdout') options.watching?.(written.stdout);
    },
  });
  const exitCode = await runCli({
    argv,
    env: { NO_COLOR: '1', ...options.env },
    home: cwd,
    cwd,
    stdin: {
      isTTY: options.tty ?? false,
      bytes: async function* () {
        if (options.stdin !== undefined) yield Buffer.from(options.stdin);
      },
    },
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    clock: options.clock ?? systemClock,
    onStop: (listener) => {
      options.stopping?.(listener);
      return () => {};
    },
    startNode: options.startNode ?? (() => Promise.reject(new Error('no node is started here'))),
    localNetwork: () => Promise.reject(new Error('no network is started here')),
  });
  return { exitCode, ...written };
}

export interface Desk {
  readonly folder: string;
  readonly node: ScriptedNode;
  readonly api: Api;
  run(argv: readonly string[], options?: CommandOptions): Promise<Outcome>;
  close(): Promise<void>;
}

/** A folder to work in and a node with a scripted requester behind its real HTTP interface. */
export async function openDesk(token?: string): Promise<Desk> {
  const folder = await mkdtemp(join(tmpdir(), 'bidmesh-cli-'));
  const node = scriptedNode();
  const api = createApi(
    { ...apiDefaults, listen: '127.0.0.1:0', ...(token === undefined ? {} : { token }) },
    node,
  );
  await api.start();
  return {
    folder,
    node,
    api,
    run: (argv, options = {}) =>
      commandLine(argv, folder, { ...options, env: { BIDMESH_API: api.url, ...options.env } }),
    close: async () => {
      await api.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const runningNode: RunningNode = {
  peerId: 'peer-self',
  apiUrl: 'http://127.0.0.1:1234',
  multiaddrs: () => ['/ip4/127.0.0.1/tcp/4001'],
  stop: async () => {},
};
