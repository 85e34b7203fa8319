import type { NodeOptions } from '../../src/config/node-options.ts';
import { apiDefaults } from '../../src/api/options.ts';
import { jobDescription } from '../../src/domain/job/job-description.ts';
import type { Notary } from '../../src/domain/market/evidence.ts';
import type { ExitReason } from '../../src/domain/program/task.ts';
import { type Identity, identityOf } from '../../src/identity/index.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { defaultLibp2pLimits } from '../../src/network/libp2p/options.ts';
import { type BidmeshNode, startNode } from '../../src/node/node.ts';
import { defaultOrchestratorLimits } from '../../src/orchestrator/options.ts';
import { defaultProviderLimits } from '../../src/provider/options.ts';
import { defaultRegistryLimits } from '../../src/registry/options.ts';
import { MemoryDisk } from './memory-disk.ts';
import { defaultRetention, defaultStoreLimits, type RetentionOptions } from '../../src/store/options.ts';
import { FakeClock, type WallClock } from './fake-clock.ts';
import { createMemoryContent, type MachineRoom, MemoryBlocks } from './memory-content.ts';
import { createMemoryFolders, createScriptedDrivers, RunRecord } from './scripted-drivers.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedNetwork, type SimulatedNetworkOptions, type SimulatedNode } from './simulated-network.ts';

const GIB = 2 ** 30;

export interface WorldOptions {
  readonly seed: string | number;
  readonly network?: Partial<SimulatedNetworkOptions>;
  /** How long each execution works. */
  readonly workMs?: (executionId: string) => number;
  /** How each execution ends. */
  readonly exitReason?: (executionId: string) => ExitReason;
  /** Providers take the lock with the bid. */
  readonly lockOnBid?: boolean;
  readonly retention?: Partial<RetentionOptions>;
  /** Whose engines run: scripted ones, or those that nodes have. */
  readonly drivers?: 'scripted' | 'of the list';
}

/** What a node is in its world. */
export interface Role {
  readonly provides: boolean;
  /** Signs in place of its own. */
  readonly notary?: (notary: Notary) => Notary;
}

/** One node over all its lives: its key, disk and content stay, everything else goes with a crash. */
export interface Machine {
  readonly name: string;
  readonly identity: Identity;
  readonly disk: MemoryDisk;
  readonly blocks: MemoryBlocks;
  readonly provides: boolean;
  readonly wall: WallClock;
  readonly room: MachineRoom;
  readonly notary: Role['notary'];
  life: { readonly node: BidmeshNode; readonly simulated: SimulatedNode } | undefined;
}

/** A node on its way out. */
export interface Departure {
  /** Never settles where it was killed. */
  readonly stopped: Promise<void>;
  isOver(): boolean;
  kill(): void;
}

/** Several nodes of one network in this process, on one fake clock, with one seed. Production code throughout. */
export class World {
  readonly clock = new FakeClock();
  readonly random: SeededRandom;
  readonly network: SimulatedNetwork;
  readonly record = new RunRecord();
  readonly machines = new Map<string, Machine>();
  readonly #workMs: (executionId: string) => number;
  readonly #exitReason: (executionId: string) => ExitReason;
  readonly #lockOnBid: boolean;
  readonly #retention: RetentionOptions;
  readonly #scripted: boolean;

  constructor(options: WorldOptions) {
    this.random = new SeededRandom(options.seed);
    this.network = new SimulatedNetwork(this.clock, this.random.fork('network'), options.network ?? {});
    this.#scripted = options.drivers !== 'of the list';
    this.#lockOnBid = options.lockOnBid ?? false;
    this.#retention = { ...defaultRetention, ...options.retention };
    this.#workMs = options.workMs ?? (() => 500);
    this.#exitReason = options.exitReason ?? (() => 'completed');
  }

  async start(name: string, role: Role): Promise<Machine> {
    const random = this.random.fork(`machine/${name}`);
    const machine: Machine = {
      name,
      identity: identityOf(random.bytes(32)),
      disk: new MemoryDisk({ clock: this.clock, random: random.fork('disk') }),
      blocks: new MemoryBlocks(),
      provides: role.provides,
      wall: { offsetMs: 0 },
      room: { diskFull: false, quotaFull: false },
      notary: role.notary,
      life: undefined,
    };
    this.machines.set(name, machine);
    await this.boot(machine);
    return machine;
  }

  /** A first life, or another one after a crash. */
  async boot(machine: Machine): Promise<BidmeshNode> {
    const simulated = this.network.node(machine.identity.peerId, machine.wall);
    const { clock } = simulated;
    const random = this.random.fork(`life/${machine.name}/${this.clock.monotonicMs()}`);
    const starting = (async () =>
      startNode(
        nodeOptions(machine.provides, this.#lockOnBid, this.#retention),
        { nodePath: '', searchPath: '', constrainedMemoryBytes: 0 },
        {
          clock,
          random,
          logger: silentLogger,
          identity: machine.identity,
          ...(machine.notary === undefined ? {} : { notary: machine.notary }),
          database: await machine.disk.open(),
          underlay: () => simulated.underlay,
          content: (transport) => createMemoryContent(machine.blocks, transport, machine.room),
          ...(this.#scripted
            ? {
                drivers: createScriptedDrivers(clock, this.record, (executionId) => ({
                  durationMs: this.#workMs(executionId),
                  exitReason: this.#exitReason(executionId),
                })),
              }
            : {}),
          folders: createMemoryFolders(machine.room),
          disk: { freeBytes: async () => (machine.room.diskFull ? 0 : 100 * GIB) },
          machine: {
            resources: { cpuMillis: 4000, memoryBytes: 8 * GIB, diskBytes: 100 * GIB, gpus: [] },
            cpu: { cores: 4, arch: 'x64', model: 'simulated', vendor: 'none' },
            notes: [],
          },
          api: false,
        },
      ))();
    const node = await this.clock.runUntilSettled(starting, 60_000);
    machine.life = { node, simulated };
    return node;
  }

  crash(machine: Machine): void {
    machine.life?.simulated.crash();
    machine.disk.crash();
    machine.life = undefined;
  }

  /** Asks a node to stop; `over` says when it has. Until then it may still be killed. */
  shutDown(machine: Machine): Departure {
    const { life } = machine;
    if (life === undefined) throw new Error(`${machine.name} is not running`);
    machine.life = undefined;
    let over = false;
    const stopped = life.node.stop().finally(() => {
      over = true;
    });
    const kill = (): void => {
      if (over) return;
      over = true;
      life.simulated.crash();
      machine.disk.crash();
    };
    return { stopped, isOver: () => over, kill };
  }

  nodeOf(machine: Machine): BidmeshNode {
    if (machine.life === undefined) throw new Error(`${machine.name} is not running`);
    return machine.life.node;
  }

  /** Posts a small job, waits until it is on disk, and gives its id; `onDurable` is called right then. */
  async post(
    machine: Machine,
    extra: Readonly<Record<string, unknown>> = {},
    onDurable: (jobId: string) => void = () => {},
  ): Promise<string> {
    const description = jobDescription.parse({
      engine: { type: 'wasm', params: { module: { base64: 'AGFzbQEAAAA=' } } },
      ...extra,
    });
    const posted = this.nodeOf(machine).orchestrator.postJob(description, { bodyDigest: 'none' });
    posted.then(
      ({ jobId }) => onDurable(jobId),
      () => {},
    );
    return (await this.clock.runUntilSettled(posted, 10_000)).jobId;
  }

  /** Runs until `check` holds, asking every `stepMs` of simulated time. */
  async until(check: () => Promise<boolean>, limitMs: number, what: string, stepMs = 100): Promise<void> {
    const endMs = this.clock.monotonicMs() + limitMs;
    while (!(await this.clock.runUntilSettled(check(), limitMs))) {
      if (this.clock.monotonicMs() >= endMs)
        throw new Error(`${what}: not within ${limitMs} ms of simulated time`);
      await this.clock.advanceBy(stepMs);
    }
  }

  async stop(): Promise<void> {
    for (const machine of this.machines.values()) {
      if (machine.life !== undefined) await this.clock.runUntilSettled(machine.life.node.stop(), 60_000);
    }
  }
}

function nodeOptions(provides: boolean, lockOnBid: boolean, retention: RetentionOptions): NodeOptions {
  return {
    network: 'simulated',
    dataDir: '/nowhere',
    logLevel: 'silent',
    api: apiDefaults,
    libp2p: {
      network: 'simulated',
      listen: [],
      announce: [],
      bootstrap: [],
      mdns: false,
      kadDht: 'off',
      peerExchange: false,
      libp2pLogs: false,
      limits: defaultLibp2pLimits,
    },
    orchestrator: {
      defaultOrchestrationType: 'pull',
      defaultSearchTimeoutMs: 5000,
      wantedBids: 5,
      weights: {},
      limits: defaultOrchestratorLimits,
    },
    registry: { preferredPeers: [], limits: defaultRegistryLimits },
    store: { folder: '/nowhere', contentFolder: '/nowhere', limits: defaultStoreLimits },
    retention,
    content: {},
    ...(provides
      ? {
          provider: {
            ownJobs: true,
            price: { amount: '0.02', currency: 'USD', per: 'hour' as const },
            lockOnBid,
            establishedPercent: 20,
            allow: [],
            deny: [],
            limits: defaultProviderLimits,
            onboard: {
              cpu: { kind: 'all' as const },
              memory: { kind: 'all' as const },
              disk: { kind: 'all' as const },
              gpus: 'all' as const,
            },
            labels: {},
            location: {},
          },
        }
      : {}),
  };
}
