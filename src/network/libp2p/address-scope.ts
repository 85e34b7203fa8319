import type { Multiaddr } from '@multiformats/multiaddr';
import { BlockList } from 'node:net';

/** How far an address reaches. */
export type AddressScope = 'loopback' | 'private' | 'public';

const WIDTH: Readonly<Record<AddressScope, number>> = { loopback: 0, private: 1, public: 2 };

const IPV4_PREFIX_BYTES = 3;
const IPV6_PREFIX_BYTES = 6;
/** The address bytes of a multiaddr follow its one-byte protocol code. */
const CODE_BYTES = 1;

function blockList(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = '', bits = ''] = subnet.split('/');
    list.addSubnet(network, Number(bits), network.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** The unspecified address is here because dialling it reaches this very machine. */
const LOOPBACK = blockList(['127.0.0.0/8', '0.0.0.0/8', '::1/128', '::/128']);
/** Tunnels (6to4, Teredo, NAT64) may lead to any IPv4 address, so they count as private. */
const PRIVATE = blockList([
  '10.0.0.0/8',
  '100.64.0.0/10',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  'fc00::/7',
  'fec0::/10',
  '64:ff9b::/32',
  '100::/64',
  '2001::/32',
  '2002::/16',
]);
/** Multicast, reserved and link-local ranges; the last hold the metadata services of clouds. */
const NEVER = blockList(['169.254.0.0/16', '224.0.0.0/4', '240.0.0.0/4', 'fe80::/10', 'ff00::/8']);

function ipScope(host: string, family: 'ipv4' | 'ipv6'): AddressScope | undefined {
  if (NEVER.check(host, family)) return undefined;
  if (LOOPBACK.check(host, family)) return 'loopback';
  return PRIVATE.check(host, family) ? 'private' : 'public';
}

/**
 * The scope of a plain TCP address (or one of the in-memory transport, which counts as loopback).
 * Undefined for everything that must not be dialled on somebody's word: names, sockets in the file system,
 * relays, multicast and link-local addresses.
 */
export function scopeOf(address: Multiaddr): AddressScope | undefined {
  const [network, transport, peer, ...rest] = address.getComponents();
  if (network?.name === 'memory') return 'loopback';
  if (transport?.name !== 'tcp' || rest.length > 0) return undefined;
  if (peer !== undefined && peer.name !== 'p2p') return undefined;
  if (network?.value === undefined) return undefined;
  if (network.name === 'ip4') return ipScope(network.value, 'ipv4');
  if (network.name === 'ip6') return ipScope(network.value, 'ipv6');
  return undefined;
}

/** The widest scope among some addresses; undefined where none of them has one. */
export function widestScope(addresses: readonly Multiaddr[]): AddressScope | undefined {
  let widest: AddressScope | undefined;
  for (const address of addresses) {
    const scope = scopeOf(address);
    if (scope !== undefined && (widest === undefined || WIDTH[scope] > WIDTH[widest])) widest = scope;
  }
  return widest;
}

/** Nobody gets a node to dial into a network narrower than the widest one it is on itself. */
export function mayDial(own: AddressScope, target: Multiaddr): boolean {
  const scope = scopeOf(target);
  return scope !== undefined && WIDTH[scope] >= WIDTH[own];
}

export function byWidestFirst(a: Multiaddr, b: Multiaddr): number {
  return WIDTH[scopeOf(b) ?? 'loopback'] - WIDTH[scopeOf(a) ?? 'loopback'];
}

/** What addresses of one owner have in common: the /24 of IPv4, the /48 of IPv6. */
export function prefixOf(address: Multiaddr): string {
  const [network] = address.getComponents();
  const bytes = network?.name === 'ip6' ? IPV6_PREFIX_BYTES : IPV4_PREFIX_BYTES;
  if (network?.name !== 'ip4' && network?.name !== 'ip6') return network?.name ?? '';
  return `${network.name}/${Buffer.from(address.bytes.subarray(CODE_BYTES, CODE_BYTES + bytes)).toString('hex')}`;
}
