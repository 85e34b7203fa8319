import type { AdvertContent } from '../domain/market/advert.ts';

/** Whether a provider has more free than it said before, takes work again, or was not known. */
export function hasMoreRoom(before: AdvertContent | undefined, { free, draining }: AdvertContent): boolean {
  if (before === undefined || (before.draining && !draining)) return true;
  const devices = (groups: AdvertContent['free']['gpus']): number =>
    groups.reduce((sum, { count }) => sum + count, 0);
  return (
    free.cpuMillis > before.free.cpuMillis ||
    free.memoryBytes > before.free.memoryBytes ||
    free.diskBytes > before.free.diskBytes ||
    devices(free.gpus) > devices(before.free.gpus)
  );
}
