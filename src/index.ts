import { homedir } from 'node:os';
import type { NodeSettings } from './config/index.ts';
import { CodedError } from './lib/coded-error.ts';
import type { RunningNode } from './node/running-node.ts';

export type { NodeSettings, RunningNode };
export { CodedError };

/** As in `bidmesh.js`, which is plain JavaScript. */
const OLDEST_NODE = [22, 18] as const;

export interface StartOptions {
  /** Called once when the node cannot go on, as when its disk refuses what it writes. Stop it then. */
  readonly onFatal?: (error: CodedError) => void;
}

/**
 * Starts a node in this process and resolves when it is ready. `settings` are the keys of the configuration file, and
 * go before those of the file in the data directory, where there is one; environment variables are not read. Relative
 * paths start in the working directory. Rejects with a {@link CodedError}: `CONFIG_INVALID`, `DATABASE_LOCKED` where
 * another process has the data directory, `NODE_TOO_OLD`, and the other reasons for which a start fails.
 */
export async function startNode(
  settings: NodeSettings = {},
  { onFatal }: StartOptions = {},
): Promise<RunningNode> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
    throw new CodedError(
      'NODE_TOO_OLD',
      `A Bidmesh node needs Node.js ${OLDEST_NODE.join('.')} or later, and this is ${process.versions.node}.`,
    );
  }
  // After the check, as an older Node.js cannot load all of it.
  const [{ loadConfig, nodeOptionsOf }, { startNode: start }, { thisHost }] = await Promise.all([
    import('./config/index.ts'),
    import('./node/node.ts'),
    import('./host.ts'),
  ]);
  const { config } = await loadConfig({
    home: homedir(),
    cwd: process.cwd(),
    env: {},
    flags: Object.entries(settings).map(([key, value]) => ({ source: 'startNode', path: [key], value })),
  });
  const overrides = onFatal === undefined ? {} : { onFatal };
  const node = await start(nodeOptionsOf(config), thisHost(), overrides);
  return {
    peerId: node.peerId,
    apiUrl: node.apiUrl,
    multiaddrs: () => node.multiaddrs(),
    stop: () => node.stop(),
  };
}
