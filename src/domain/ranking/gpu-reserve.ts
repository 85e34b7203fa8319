import type { Contender, Field } from './ranker.ts';

/**
 * Of a ranked field, best first, the one provider that keeps its free devices for jobs that need them: the last of
 * those with any, where the job wants none. It comes behind all the others but this node itself.
 */
export function lastGpuNode(
  ranked: readonly Contender[],
  { self, gpusWanted }: Pick<Field, 'self' | 'gpusWanted'>,
): Contender | undefined {
  if (gpusWanted > 0) return undefined;
  return ranked.findLast(({ provider, bid }) => provider !== self && (bid.fit?.gpusFree ?? 0) > 0);
}
