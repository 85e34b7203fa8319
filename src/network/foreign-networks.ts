import type { ForeignPeer } from './underlay.ts';

/** Further networks of connected peers are not named. */
const MOST_NETWORKS_NAMED = 8;

/** The networks that peers of other ones are of, sorted. Those of other releases are of this one. */
export function foreignNetworks(peers: readonly ForeignPeer[]): readonly string[] {
  const names = peers.flatMap(({ network, release }) => (release === undefined ? (network ?? []) : []));
  return [...new Set(names)].toSorted().slice(0, MOST_NETWORKS_NAMED);
}
