import { join } from 'node:path';
import type { z } from 'zod';
import type { BidmeshClient } from '../../src/client/index.ts';
import { nodeConfig } from '../../src/config/schema.ts';
import { nodeOptionsOf } from '../../src/config/node-options-of.ts';
import type { NodeOptions } from '../../src/config/node-options.ts';
import type { GpuDevice } from '../../src/domain/units/resources.ts';
import { type Identity, identityOf } from '../../src/identity/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { createLibp2pUnderlay } from '../../src/network/libp2p/libp2p-underlay.ts';
import { type BidmeshNode, startNode } from '../../src/node/node.ts';
import type { MachineInventory } from '../../src/provider/resources/probe.ts';
import { createScriptedDrivers, type ScriptedWork } from '../../test/simulation/scripted-drivers.ts';
import { pathWithNvidiaSmi } from './gpu-tool.ts';
import { clientOf } from './http-answer.ts';
import { CountingRunRecord } from './run-record.ts';
import { ScriptedUnderlay } from './scripted-underlay.ts';

const GIB = 2 ** 30;
/** Small, so that a program that prints for ever reaches it soon. */
const MOST_OUTPUT_BYTES = 2 ** 20;
/** More than any scenario has providers: the bid window stays open until everybody has answered. */
export const WANTED_BIDS = 10;
/** Nodes that have just met tell each other of themselves without a pause. */
const ADVERT_GAP_MS = 50;

export interface NodeSpec {
  readonly name: string;
  /** Settings of the provider; undefined on a node that only posts jobs. */
  readonly provider: z.input<typeof nodeConfig>['provider'] | undefined;
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly gpus: readonly GpuDevice[];
  /** What the nvidia-smi of its machine prints, a file of test/fixtures/gpu; undefined where the devices are scripted. */
  readonly nvidiaSmi: string | undefined;
  /** Bids that its searches are content with. */
  readonly wantedBids: number;
  /** How long its locks last; undefined: as in use. */
  readonly lockTtlMs: number | undefined;
  /** How long its provider waits for a requester that is gone before its work began; undefined: as in use. */
  readonly patienceMs: number | undefined;
  /** How long each execution works, where the engines are scripted ones. */
  readonly workMs: number;
  /** Runs the programs of jobs for real, in sandboxed children. */
  readonly realEngines: boolean;
}

export interface NodeSurroundings {
  readonly network: string;
  readonly root: string;
  readonly bootstrap: readonly string[];
  /** The addresses are those of all nodes: there are no others to hear of. */
  readonly toldOfAll: boolean;
  readonly signal: AbortSignal;
}

/** A whole node in this process, with the hold that a scenario has on it. */
export interface TestNode {
  readonly name: string;
  readonly identity: Identity;
  readonly node: BidmeshNode;
  readonly api: BidmeshClient;
  readonly underlay: ScriptedUnderlay;
  /** What its scripted engines ran. */
  readonly runs: CountingRunRecord;
  /** How the work of its scripted engines goes from now on. */
  readonly work: ScriptedWork;
}

/** Starts a node of production parts on TCP over loopback; only the machine, and where asked the engines, are scripted. */
export async function startTestNode(spec: NodeSpec, around: NodeSurroundings): Promise<TestNode> {
  const options = optionsFor(spec, around);
  const identity = identityOf(systemRandom.bytes(32));
  const underlay = new ScriptedUnderlay(
    createLibp2pUnderlay(options.libp2p, {
      privateKeyRaw: identity.privateKeyRaw,
      clock: systemClock,
      logger: silentLogger,
    }),
  );
  const runs = new CountingRunRecord();
  const work: ScriptedWork = { durationMs: spec.workMs };
  const searchPath = process.env['PATH'] ?? '';
  const tools = join(around.root, `${spec.name}-tools`);
  const node = await startNode(
    options,
    {
      nodePath: process.execPath,
      searchPath:
        spec.nvidiaSmi === undefined
          ? searchPath
          : await pathWithNvidiaSmi(spec.nvidiaSmi, searchPath, tools),
      constrainedMemoryBytes: 0,
    },
    {
      logger: silentLogger,
      identity,
      underlay: () => underlay,
      ...(spec.nvidiaSmi === undefined ? { machine: machineOf(spec) } : {}),
      ...(spec.realEngines
        ? {}
        : {
            drivers: createScriptedDrivers(systemClock, runs, () => work),
          }),
    },
  );
  return {
    name: spec.name,
    identity,
    node,
    api: clientOf(() => node.apiUrl, around.signal),
    underlay,
    runs,
    work,
  };
}

function machineOf({ cpuMillis, memoryBytes, gpus }: NodeSpec): MachineInventory {
  return {
    resources: { cpuMillis, memoryBytes, diskBytes: 100 * GIB, gpus },
    cpu: { cores: Math.ceil(cpuMillis / 1000), arch: 'x64', model: 'scripted', vendor: 'none' },
    notes: [],
  };
}

function optionsFor(spec: NodeSpec, around: NodeSurroundings): NodeOptions {
  const parsed = nodeOptionsOf(
    nodeConfig.parse({
      network: around.network,
      dataDir: join(around.root, spec.name),
      api: { listen: '127.0.0.1:0' },
      p2p: { listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap: around.bootstrap, mdns: false },
      requester: { wantedBids: spec.wantedBids },
      provider:
        spec.provider === undefined
          ? { enabled: false }
          : { onboard: { cpu: 'all', memory: 'all', disk: 'all', gpus: 'all' }, ...spec.provider },
      log: { level: 'silent' },
    }),
  );
  const limits = {
    ...parsed.registry.limits,
    minPublishGapMs: ADVERT_GAP_MS,
    minHeardGapMs: 1,
    ...(around.toldOfAll ? { settlingMs: 0 } : {}),
  };
  const registry = { ...parsed.registry, limits };
  const options = { ...parsed, registry };
  const { provider } = options;
  if (provider === undefined) return options;
  const { lockTtlMs = provider.limits.lockTtlMs, patienceMs } = spec;
  const patience =
    patienceMs === undefined ? {} : { awayBeforeStartMs: patienceMs, longestHeartbeatMs: patienceMs };
  return {
    ...options,
    provider: {
      ...provider,
      limits: { ...provider.limits, ...patience, lockTtlMs, maxOutputBytes: MOST_OUTPUT_BYTES },
    },
  };
}
