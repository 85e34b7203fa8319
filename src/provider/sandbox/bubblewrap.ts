import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { runExecutable } from '../processes/tool-runner.ts';

const PROBE = { timeoutMs: 5000, outputBytes: 64 * 1024 };
const SANDBOX_NODE = '/sandbox/node';
/** Where the shared libraries of a Node program are, on the systems that have them there. */
const LIBRARY_FOLDERS = ['/lib', '/lib64', '/usr/lib', '/usr/lib64', '/nix/store', '/gnu/store'];

/** bwrap reports the pid of the program on this descriptor. */
export const INFO_FD = 4;

export interface ReadOnlyBind {
  readonly hostPath: string;
  readonly sandboxPath: string;
}

/** The first `bwrap` on the search path that can start Node in a full sandbox here. */
export async function findBubblewrap(
  clock: Clock,
  searchPath: string,
  nodePath: string,
): Promise<string | undefined> {
  for (const folder of searchPath.split(delimiter).filter((entry) => isAbsolute(entry))) {
    const path = join(folder, 'bwrap');
    if ((await isExecutable(path)) && (await startsNode(clock, path, nodePath))) return path;
  }
  return undefined;
}

/**
 * The arguments of `bwrap` that start Node with `nodeArgs` and nothing but `binds`: no `/proc`, `/dev` or
 * `/etc`, no network, no capability, no variable, and nowhere to write.
 */
export function bubblewrapArgs(
  nodePath: string,
  nodeArgs: readonly string[],
  binds: readonly ReadOnlyBind[],
  options: { readonly reportsPid: boolean },
): string[] {
  const isolation = ['--unshare-all', '--die-with-parent', '--new-session', '--as-pid-1', '--clearenv'];
  const identity = ['--cap-drop', 'ALL', '--uid', '65534', '--gid', '65534', '--hostname', 'sandbox'];
  const libraries = LIBRARY_FOLDERS.flatMap((folder) => ['--ro-bind-try', folder, folder]);
  const files = [{ hostPath: nodePath, sandboxPath: SANDBOX_NODE }, ...binds].flatMap(
    ({ hostPath, sandboxPath }) => ['--ro-bind', hostPath, sandboxPath],
  );
  const root = ['--chdir', '/', '--remount-ro', '/'];
  const report = options.reportsPid ? ['--info-fd', String(INFO_FD)] : [];
  return [
    ...isolation,
    ...identity,
    ...libraries,
    ...files,
    ...root,
    ...report,
    '--',
    SANDBOX_NODE,
    ...nodeArgs,
  ];
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function startsNode(clock: Clock, path: string, nodePath: string): Promise<boolean> {
  const args = bubblewrapArgs(nodePath, ['--version'], [], { reportsPid: false });
  const ended = await runExecutable(clock, path, args, {}, PROBE);
  return ended.outcome === 'ended' && ended.exitCode === 0;
}
