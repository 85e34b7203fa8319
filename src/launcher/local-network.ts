import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { type NodeProcess, startNodeProcess } from './node-process.ts';

export interface LocalNetworkOptions {
  readonly nodePath: string;
  readonly mainPath: string;
  /** Where a temporary folder may be made. */
  readonly temporaryRoot: string;
  /** The environment the nodes get; settings of this process' own node are left out. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A name nobody else uses, so that nothing of it meets a neighbour. */
  readonly network: string;
  readonly readyTimeoutMs: number;
}

export interface LocalNode {
  readonly name: string;
  readonly dataDir: string;
  readonly process: NodeProcess;
}

/** Nodes of one private network on this machine, each a process with a data directory of its own. */
export class LocalNetwork {
  readonly #options: LocalNetworkOptions;
  readonly #clock: Clock;
  readonly #nodes = new Map<string, LocalNode>();
  #root: string | undefined;

  constructor(options: LocalNetworkOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Starts a node, or starts one again on the data directory it had. `settings` become environment variables. */
  async start(name: string, settings: Readonly<Record<string, string>> = {}): Promise<LocalNode> {
    this.#root ??= await mkdtemp(join(this.#options.temporaryRoot, 'bidmesh-'));
    const dataDir = join(this.#root, name);
    await mkdir(dataDir, { recursive: true });
    const bootstrap = [...this.#nodes.values()].flatMap((node) => node.process.multiaddrs.slice(0, 1));
    const place = ['--data-dir', dataDir, '--network', this.#options.network, '--no-mdns'];
    const args = [
      ...place,
      '--api',
      '127.0.0.1:0',
      '--listen',
      '/ip4/127.0.0.1/tcp/0',
      ...bootstrap.flatMap((address) => ['--bootstrap', address]),
    ];
    const node = await startNodeProcess(
      { ...this.#options, args, env: { ...cleanEnvironment(this.#options.env), ...settings } },
      this.#clock,
    );
    const local: LocalNode = { name, dataDir, process: node };
    this.#nodes.set(name, local);
    return local;
  }

  node(name: string): LocalNode {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new RangeError(`there is no node called ${name}`);
    return node;
  }

  nodes(): readonly LocalNode[] {
    return [...this.#nodes.values()];
  }

  /** kill -9 */
  async kill(name: string): Promise<void> {
    await this.node(name).process.kill();
    this.#nodes.delete(name);
  }

  /** Stops every node and removes everything they wrote. */
  async stop(): Promise<void> {
    await Promise.all([...this.#nodes.values()].map((node) => node.process.stop()));
    this.#nodes.clear();
    if (this.#root !== undefined) await rm(this.#root, { recursive: true, force: true });
    this.#root = undefined;
  }
}

function cleanEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('BIDMESH_')));
}
