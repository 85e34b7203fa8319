import { multiaddr, type Multiaddr } from '@multiformats/multiaddr';
import { networkInterfaces } from 'node:os';
import { type AddressScope, widestScope } from './address-scope.ts';

/** Where a node is, in the order in which that counts. */
export interface OwnPlaces {
  /** Addresses that it listens on or announces. */
  readonly addresses: readonly Multiaddr[];
  /** The far ends of its connections. A node that listens nowhere chose all of them itself. */
  readonly farEnds: () => readonly Multiaddr[];
  /** Addresses of its machine. */
  readonly interfaces: () => readonly Multiaddr[];
}

/**
 * How far a node reaches: by the addresses it tells others, and where it tells none by whom it is connected with, or
 * by the interfaces of its machine. What none of them knows counts as public, from where the fewest may be dialled.
 */
export function ownScope({ addresses, farEnds, interfaces }: OwnPlaces): AddressScope {
  if (addresses.length > 0) return widestScope(addresses) ?? 'public';
  return widestScope(farEnds()) ?? widestScope(interfaces()) ?? 'public';
}

/** The addresses of this machine's interfaces. */
export function machineAddresses(): readonly Multiaddr[] {
  return Object.values(networkInterfaces())
    .flatMap((found) => found ?? [])
    .map(({ family, address }) => {
      const network = family === 'IPv6' ? 'ip6' : 'ip4';
      return multiaddr(['', network, address, 'tcp', '1'].join('/'));
    });
}
