import { join } from 'node:path';
import packageFile from '../../package.json' with { type: 'json' };
import type { ContentStore } from '../content/index.ts';
import type { NodeTraits } from '../domain/matching/capability.ts';
import type { Network } from '../network/index.ts';
import { refusalSentence } from '../words/refusal-words.ts';
import type { NodeBase } from './base.ts';
import { lookAround } from './machine.ts';
import { offeredEngines, uselessEngines } from './offered-engines.ts';
import { createAttemptFolders } from '../provider/executions/attempt-folders.ts';
import { createProvider, type Provider } from '../provider/index.ts';
import { beyondMachine, missingDevices, onboard } from '../provider/resources/onboarding.ts';
import { createDiskGauge } from '../provider/resources/system.ts';

/** On an open network every identity may take part: the signature that named it is the whole check. */
export const openMembership = { check: () => Promise.resolve({ ok: true as const }) };

/** Builds the provider that offers this machine; undefined on a node that only posts jobs. */
export async function buildProvider(
  base: NodeBase,
  network: Network,
  content: ContentStore,
  onRoomFreed: () => void,
): Promise<Provider | undefined> {
  const { options, host, overrides, clock, random, logger, identity, notary, store } = base;
  const surroundings = overrides.surroundings ?? lookAround(options, host, overrides);
  if (options.provider === undefined || surroundings === undefined) return undefined;
  const { onboard: offered, labels, location, engines, ...providerOptions } = options.provider;
  const { machine, fingerprints } = await surroundings.found;
  for (const note of machine.notes) logger.info('hardware', { note });
  const missing = missingDevices(machine.resources, offered);
  if (missing.length > 0) {
    const here = machine.resources.gpus.map(({ index }) => index);
    logger.warn('provider.onboard.gpus names devices that are not there', { missing, here });
  }
  const beyond = beyondMachine(machine.resources, offered);
  if (beyond.length > 0) {
    logger.warn('provider.onboard names more than this machine has: what it has is offered', { beyond });
  }
  for (const [engine, fingerprint] of fingerprints) {
    if (fingerprint.usable) logger.info('engine', { engine, ...fingerprint });
  }
  for (const useless of uselessEngines(fingerprints, engines)) {
    logger.warn('provider.engines names an engine that does not work on this machine', useless);
  }
  const traits: NodeTraits = {
    peerId: identity.peerId,
    nodeVersion: packageFile.version,
    cpu: machine.cpu,
    ...offeredEngines(fingerprints, engines),
    labels,
    location,
  };
  return createProvider(providerOptions, {
    clock,
    calendar: store.calendar,
    random,
    logger: logger.child('provider'),
    notary,
    refusalSentence,
    store: store.provider,
    strikes: store.strikes.againstRequesters,
    notes: store.meta,
    link: network.requesterLink,
    content,
    folders: overrides.folders ?? createAttemptFolders(join(options.dataDir, 'attempts')),
    disk: overrides.disk ?? createDiskGauge(options.dataDir),
    drivers: surroundings.drivers,
    check: openMembership,
    traits,
    machine: machine.resources,
    onboarded: onboard(machine.resources, offered),
    onRoomFreed,
  });
}
