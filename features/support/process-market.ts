import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BidmeshClient } from '../../src/client/index.ts';
import { LocalNetwork } from '../../src/launcher/local-network.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { sampleProcess } from '../../src/provider/processes/process-identity.ts';
import { type Address, clientOf } from './http-answer.ts';
import { pathWithout } from './hidden-tool.ts';

const READY_WITHIN_MS = 20_000;

/** A process, told from any other that had or will have its pid. */
export interface KnownProcess {
  readonly pid: number;
  readonly startTimeTicks: number;
}

/** A node that is a process of its own; it keeps its name, key and data directory over all its lives. */
export interface ProcessNode {
  readonly name: string;
  readonly peerId: string;
  readonly role: ProcessRole;
  readonly url: Address;
  readonly api: BidmeshClient;
}

export interface ProcessRole {
  readonly provides: boolean;
  /** False: it is as on a machine that does not have it. */
  readonly bubblewrap: boolean;
}

/** The nodes of a scenario that are processes of their own, on one private network. */
export class ProcessMarket {
  readonly #local: LocalNetwork;
  readonly #signal: AbortSignal;
  readonly #nodes = new Map<string, ProcessNode>();
  readonly #running = new Set<string>();
  #toolFolder: Promise<string> | undefined;

  constructor(network: string, signal: AbortSignal) {
    this.#signal = signal;
    this.#local = new LocalNetwork(
      {
        nodePath: process.execPath,
        mainPath: fileURLToPath(new URL('../../src/main.ts', import.meta.url)),
        temporaryRoot: tmpdir(),
        env: process.env,
        network,
        readyTimeoutMs: READY_WITHIN_MS,
      },
      systemClock,
    );
  }

  /** Starts a node, or starts one that was killed again on the data directory it had. */
  async start(name: string, first: ProcessRole = { provides: true, bubblewrap: true }): Promise<void> {
    const role = this.#nodes.get(name)?.role ?? first;
    const { process: started } = await this.#local.start(name, {
      BIDMESH__PROVIDER__ENABLED: String(role.provides),
      BIDMESH__LOG__LEVEL: 'error',
      ...(role.bubblewrap ? {} : { PATH: await this.#pathWithoutBubblewrap() }),
    });
    this.#running.add(name);
    if (this.#nodes.has(name)) return;
    const url = (): string => this.#local.node(name).process.api;
    const api = clientOf(url, this.#signal);
    this.#nodes.set(name, { name, peerId: started.peerId, role, url, api });
  }

  /** kill -9 */
  async kill(name: string): Promise<void> {
    this.#running.delete(name);
    await this.#local.kill(name);
  }

  find(name: string): ProcessNode | undefined {
    return this.#nodes.get(name);
  }

  all(): readonly ProcessNode[] {
    return [...this.#nodes.values()];
  }

  running(): readonly ProcessNode[] {
    return this.all().filter(({ name }) => this.#running.has(name));
  }

  /** Every process below a node's own: those of the jobs it runs. */
  async processesBelow(name: string): Promise<readonly KnownProcess[]> {
    const children = await childrenByParent();
    const found: number[] = [];
    const waiting = [this.#local.node(name).process.pid];
    for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
      const below = children.get(pid) ?? [];
      found.push(...below);
      waiting.push(...below);
    }
    const samples = await Promise.all(found.map(async (pid) => ({ pid, sample: await sampleProcess(pid) })));
    return samples.flatMap(({ pid, sample }) =>
      sample === undefined ? [] : [{ pid, startTimeTicks: sample.startTimeTicks }],
    );
  }

  async stop(): Promise<void> {
    await this.#local.stop();
    const folder = await this.#toolFolder;
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }

  async #pathWithoutBubblewrap(): Promise<string> {
    this.#toolFolder ??= mkdtemp(join(tmpdir(), 'bidmesh-tools-'));
    const folder = await mkdtemp(join(await this.#toolFolder, 'path-'));
    return await pathWithout('bwrap', process.env['PATH'] ?? '', folder);
  }
}

/** True while this very process lives. */
export async function isAlive({ pid, startTimeTicks }: KnownProcess): Promise<boolean> {
  return (await sampleProcess(pid))?.startTimeTicks === startTimeTicks;
}

async function childrenByParent(): Promise<ReadonlyMap<number, readonly number[]>> {
  const children = new Map<number, number[]>();
  for (const [pid, parent] of await processes()) {
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  return children;
}

/** Every process with its parent. A small Linux has no ps, and other systems have no /proc. */
async function processes(): Promise<readonly (readonly [pid: number, parent: number])[]> {
  if (process.platform !== 'linux') {
    const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=']);
    return [...stdout.matchAll(/^\s*(\d+)\s+(\d+)\s*$/gm)].map(([, ...ids]) => [
      Number(ids[0]),
      Number(ids[1]),
    ]);
  }
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const found = await Promise.all(pids.map(async (pid) => [Number(pid), await parentOf(pid)] as const));
  return found.flatMap(([pid, parent]) => (parent === undefined ? [] : [[pid, parent] as const]));
}

async function parentOf(pid: string): Promise<number | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The command name stands in parentheses and may contain anything.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}
