import type { NodeTraits } from '../domain/matching/capability.ts';
import type { Fingerprint } from '../provider/task-driver.ts';

/** What this machine can run, of what its owner wants to offer: everything where that is not said. */
export function offeredEngines(
  fingerprints: ReadonlyMap<string, Fingerprint>,
  wanted: readonly string[] | undefined,
): Pick<NodeTraits, 'engines' | 'runtimes' | 'runtimeMemory'> {
  const engines: Record<string, string> = {};
  const runtimes: Record<string, string> = {};
  const runtimeMemory: Record<string, number> = {};
  for (const [engine, fingerprint] of fingerprints) {
    if (!fingerprint.usable || wanted?.includes(engine) === false) continue;
    engines[engine] = fingerprint.version;
    Object.assign(runtimes, fingerprint.runtimes);
    if (fingerprint.runtimeMemoryBytes > 0) runtimeMemory[engine] = fingerprint.runtimeMemoryBytes;
  }
  return { engines, runtimes, ...(Object.keys(runtimeMemory).length === 0 ? {} : { runtimeMemory }) };
}

/** Engines that the owner wants to offer and that do not work here, each with the reason. */
export function uselessEngines(
  fingerprints: ReadonlyMap<string, Fingerprint>,
  wanted: readonly string[] | undefined,
): readonly { readonly engine: string; readonly why: string }[] {
  return [...fingerprints].flatMap(([engine, fingerprint]) =>
    fingerprint.usable || wanted?.includes(engine) !== true ? [] : [{ engine, why: fingerprint.why }],
  );
}
