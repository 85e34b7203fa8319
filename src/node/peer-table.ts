import type { Requirements } from '../domain/matching/requirements.ts';
import type { JobSpec } from '../domain/job/job.ts';
import type { PeerTable } from '../orchestrator/ports.ts';
import type { Registry } from '../registry/index.ts';

/** The registry in the terms of the requester. */
export function peerTableOf(registry: Registry): PeerTable {
  return {
    sizeEstimate: () => registry.sizeEstimate(),
    candidates: (spec, limit) =>
      registry
        .candidates(requirementsOf(spec), { ...questionOf(spec), limit })
        .map(({ peer, providerRecord }) => ({ peer, peerRecord: providerRecord })),
    fits: (spec) => registry.fits(requirementsOf(spec), questionOf(spec)),
    indirect: (spec) => registry.indirect(requirementsOf(spec), questionOf(spec)),
    recordOf: (peer) => registry.peer(peer)?.advert.providerRecord,
    explain: (spec) => registry.explain(requirementsOf(spec), questionOf(spec)),
    acquaintance: {
      acquainted: (spec, limit) => registry.acquainted(requirementsOf(spec), { ...questionOf(spec), limit }),
      strangers: () => registry.strangers(),
      patienceWith: (peer) => registry.patienceWith(peer),
      answered: (peer, came) => registry.answered(peer, came),
      kept: (peer) => registry.kept(peer),
      broke: (peer) => registry.broke(peer),
      taken: (peer) => registry.taken(peer),
      isOnTrial: (peer) => registry.isOnTrial(peer),
      hasKept: (peer) => registry.hasKept(peer),
      isWary: () => registry.isWary(),
      asked: (outcome) => registry.asked(outcome),
    },
  };
}

function requirementsOf(spec: JobSpec): Requirements {
  return {
    resources: spec.resources,
    engine: { type: spec.engine.type },
    constraints: spec.constraints,
    executionTimeoutMs: spec.timeouts.executionMs,
  };
}

function questionOf(spec: JobSpec): { exclude: readonly string[]; budget?: NonNullable<JobSpec['budget']> } {
  return { exclude: spec.excludedProviders, ...(spec.budget === undefined ? {} : { budget: spec.budget }) };
}
