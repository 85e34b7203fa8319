import { join } from 'node:path';
import packageFile from '../package.json' with { type: 'json' };
import type { ContentStore } from './content/index.ts';
import type { NodeTraits } from './domain/capability.ts';
import { createNotary } from './identity/index.ts';
import type { Network } from './network/index.ts';
import type { NodeBase } from './node-base.ts';
import { createAttemptFolders } from './provider/executors/attempt-folders.ts';
import type { EngineOffer } from './provider/executors/executor.ts';
import { createToolRunner } from './provider/executors/tool-runner.ts';
import { createWasiExecutor } from './provider/executors/wasi-executor.ts';
import { createProvider, type Provider } from './provider/index.ts';
import { onboard } from './provider/resources/onboarding.ts';
import { createHardwareProbe, type MachineInventory } from './provider/resources/probe.ts';

const PROBE_TIMEOUT_MS = 3000;

/** On an open network every identity may take part: the signature that named it is the whole check. */
export const openMembership = { check: () => Promise.resolve({ ok: true as const }) };

/** Looks at the machine and builds the provider that offers it; undefined on a node that only posts jobs. */
export async function buildProvider(
  base: NodeBase,
  network: Network,
  content: ContentStore,
): Promise<Provider | undefined> {
  const { options, host, overrides, clock, random, logger, identity, store } = base;
  if (options.provider === undefined) return undefined;
  const { onboard: offered, labels, location, engines, ...providerOptions } = options.provider;
  const executor =
    overrides.executor ??
    createWasiExecutor({ ...host, clock, random, useBubblewrap: overrides.useBubblewrap ?? 'auto' });
  const [machine, offer] = await Promise.all([overrides.machine ?? probeMachine(base), executor.probe()]);
  for (const note of machine.notes) logger.info('hardware', { note });
  const traits: NodeTraits = {
    peerId: identity.peerId,
    nodeVersion: packageFile.version,
    cpu: machine.cpu,
    engines: offeredEngines(offer, engines),
    runtimes: offer.runtimes,
    labels,
    location,
  };
  return createProvider(providerOptions, {
    clock,
    random,
    logger: logger.child('provider'),
    notary: createNotary(identity, options.network, clock),
    store: store.provider,
    strikes: store.strikes.againstRequesters,
    link: network.requesterLink,
    content,
    folders: overrides.folders ?? createAttemptFolders(join(options.dataDir, 'attempts')),
    executor,
    check: openMembership,
    traits,
    machine: machine.resources,
    onboarded: onboard(machine.resources, offered),
  });
}

/** A job asks for an engine by name, and an interpreter that an engine runs counts as one. */
function offeredEngines(
  offer: EngineOffer,
  wanted: readonly string[] | undefined,
): Readonly<Record<string, string>> {
  const all = { ...offer.engines, ...offer.runtimes };
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => wanted === undefined || wanted.includes(name)),
  );
}

function probeMachine({ options, host, clock }: NodeBase): Promise<MachineInventory> {
  return createHardwareProbe({
    clock,
    dataDir: options.dataDir,
    searchPath: host.searchPath,
    runTool: createToolRunner(clock),
    timeoutMs: PROBE_TIMEOUT_MS,
    constrainedMemoryBytes: host.constrainedMemoryBytes,
  }).probe();
}
