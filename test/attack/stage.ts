import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StallReading } from '../bench/stall-watch.ts';
import { benchName } from '../bench/nodes.ts';
import type { AttackOrder } from './attacker.ts';
import { Regular } from './regular.ts';
import { StagedNode } from './staged-node.ts';

const LONGEST_FIRST_JOB_MS = 10_000;

/**
 * Two honest nodes, and a user of the requester who is a regular of the provider. One stage serves many attacks: between
 * two of them both nodes are started again, and the second begins when jobs take as long as before. What the first one
 * left on their disks stays, as it would in the field.
 */
export class Stage {
  static readonly #open = new Set<Stage>();
  readonly network = benchName();
  readonly regular: Regular;
  readonly #root: string;
  readonly #provider: StagedNode;
  #requester: StagedNode | undefined;

  private constructor(root: string, jobEveryMs: number) {
    this.#root = root;
    this.regular = new Regular(jobEveryMs);
    this.#provider = new StagedNode({ name: 'provider', root, network: this.network, bootstrap: [] });
  }

  static async open(jobEveryMs: number): Promise<Stage> {
    const stage = new Stage(await mkdtemp(join(tmpdir(), 'bidmesh-attack-')), jobEveryMs);
    Stage.#open.add(stage);
    try {
      await stage.#provider.start();
      stage.#requester = new StagedNode({
        name: 'requester',
        root: stage.#root,
        network: stage.network,
        bootstrap: [stage.#provider.address],
        settings: { BIDMESH__PROVIDER__ENABLED: 'false' },
      });
      await stage.#requester.start();
      await stage.resume();
      await stage.regular.haveOneDone(LONGEST_FIRST_JOB_MS);
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  /** For a process that is told to end: leaves no node and no folder behind. */
  static async closeAll(): Promise<void> {
    await Promise.all([...Stage.#open].map((stage) => stage.close()));
  }

  get #both(): readonly StagedNode[] {
    return this.#requester === undefined ? [this.#provider] : [this.#provider, this.#requester];
  }

  order(name: string): AttackOrder {
    const [provider, requester] = this.#both.map(({ process: { peerId }, address }) => ({ peerId, address }));
    if (provider === undefined || requester === undefined) throw new Error('the stage is not open');
    return { name, network: this.network, provider, requester };
  }

  /** Of the provider and of the requester, since they were last asked. */
  readings(): Promise<StallReading[]> {
    return Promise.all(this.#both.map((node) => node.reading()));
  }

  /** Both nodes end as a user ends them, and start again with what they have on disk. */
  async restart(): Promise<void> {
    await this.regular.stop();
    await Promise.all(this.#both.map((node) => node.stop()));
    for (const node of this.#both) await node.start();
  }

  async resume(): Promise<void> {
    await this.regular.start(this.#requester?.process.api ?? '');
  }

  async close(): Promise<void> {
    Stage.#open.delete(this);
    await this.regular.stop();
    await Promise.all(this.#both.map((node) => node.stop()));
    await rm(this.#root, { recursive: true, force: true });
  }
}
