import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type NodeProcess, startNodeProcess } from '../../src/launcher/node-process.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type StallReading, WATCH_VARIABLE } from '../bench/stall-watch.ts';

const WATCH = new URL('../bench/stall-watch.ts', import.meta.url).href;
const MAIN = fileURLToPath(new URL('../../src/bidmesh.js', import.meta.url));
const READY_TIMEOUT_MS = 30_000;

export interface StagedNodeOptions {
  readonly name: string;
  /** Where its data directory and the sockets of its watch are. */
  readonly root: string;
  readonly network: string;
  readonly bootstrap: readonly string[];
  readonly settings?: Readonly<Record<string, string>>;
}

/** An honest node that can be started again: on the same data directory, at the same address. */
export class StagedNode {
  readonly #options: StagedNodeOptions;
  #process: NodeProcess | undefined;
  #starting: Promise<NodeProcess> | undefined;
  #lives = 0;
  #listen = '/ip4/127.0.0.1/tcp/0';

  constructor(options: StagedNodeOptions) {
    this.#options = options;
  }

  get process(): NodeProcess {
    if (this.#process === undefined) throw new Error(`${this.#options.name} does not run`);
    return this.#process;
  }

  /** With the peer id. */
  get address(): string {
    return this.process.multiaddrs[0] ?? '';
  }

  async start(): Promise<void> {
    const { name, root, network, bootstrap, settings } = this.#options;
    const dataDir = join(root, name);
    await mkdir(dataDir, { recursive: true });
    this.#lives += 1;
    const args = ['--data-dir', dataDir, '--network', network, '--no-mdns', '--api', '127.0.0.1:0'];
    this.#starting = startNodeProcess(
      {
        nodePath: process.execPath,
        mainPath: MAIN,
        args: [
          ...args,
          '--listen',
          this.#listen,
          ...bootstrap.flatMap((address) => ['--bootstrap', address]),
        ],
        env: {
          ...ownEnvironment(),
          ...settings,
          NODE_OPTIONS: `--import=${WATCH}`,
          [WATCH_VARIABLE]: this.#socket(),
        },
        readyTimeoutMs: READY_TIMEOUT_MS,
      },
      systemClock,
    );
    this.#process = await this.#starting;
    this.#listen = this.address.replace(/\/p2p\/.*$/, '');
  }

  /** Since it was last asked. */
  async reading(): Promise<StallReading> {
    return JSON.parse(await text(connect(this.#socket()))) as StallReading;
  }

  /** SIGTERM. */
  async stop(): Promise<void> {
    const begun = await this.#starting?.catch(() => undefined);
    await begun?.stop();
    this.#starting = undefined;
    this.#process = undefined;
  }

  /** Of each life another one: a process that is gone leaves its socket behind. */
  #socket(): string {
    return join(this.#options.root, `${this.#options.name}-${this.#lives}.sock`);
  }
}

function ownEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('BIDMESH_')));
}
