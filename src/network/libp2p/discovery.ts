import type { KadDHT, KadDHTComponents } from '@libp2p/kad-dht';
import type { Connection, PeerDiscovery, PeerInfo } from '@libp2p/interface';
import type { MulticastDNSComponents } from '@libp2p/mdns';
import type { Multiaddr } from '@multiformats/multiaddr';
import { createHash } from 'node:crypto';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { KadDhtMode } from './options.ts';

const MAX_TAG_LABEL_LENGTH = 40;
const TAG_DIGEST_LENGTH = 8;
const MAX_DIALS_AT_ONCE = 16;

/** A DNS label that names the network; names that are no label are told apart by a digest. */
export function mdnsServiceTag(network: string): string {
  const label = network
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')
    .slice(0, MAX_TAG_LABEL_LENGTH);
  const digest = createHash('sha256').update(network).digest('hex').slice(0, TAG_DIGEST_LENGTH);
  return `_bidmesh-${label === network ? label : `${label}-${digest}`}._udp.local`;
}

/** Discovery on the local network; what it finds goes to `found`, as it may be dialled whatever its address. */
export async function localDiscovery(
  network: string,
  found: (peer: PeerInfo) => void,
): Promise<(components: MulticastDNSComponents) => PeerDiscovery> {
  const { mdns } = await import('@libp2p/mdns');
  const create = mdns({ serviceTag: mdnsServiceTag(network) });
  return (components) => {
    const discovery = create(components);
    discovery.addEventListener('peer', (event) => found(event.detail));
    return discovery;
  };
}

/**
 * Address lookup. In server mode every node asks every other one when it starts: on a local network of 40 that
 * took 15 s, so it is only for nodes that were told to.
 */
export async function addressLookup(
  network: string,
  mode: Exclude<KadDhtMode, 'off'>,
): Promise<(components: KadDHTComponents) => KadDHT> {
  const { kadDHT, passthroughMapper } = await import('@libp2p/kad-dht');
  return kadDHT({
    protocol: `/bidmesh/${network}/kad/1.0.0`,
    clientMode: mode === 'client',
    peerInfoMapper: passthroughMapper,
  });
}

export interface DiscoveredPeersNeeds {
  readonly self: string;
  readonly targetPeers: number;
  readonly maxAddressesDialled: number;
  readonly logger: Logger;
  dial(addresses: readonly Multiaddr[]): Promise<Connection>;
  isConnected(peer: string): boolean;
  connectedCount(): number;
}

/** Dials peers as they are discovered, until there are enough. */
export class DiscoveredPeers {
  readonly #needs: DiscoveredPeersNeeds;
  readonly #dialling = new Set<string>();

  constructor(needs: DiscoveredPeersNeeds) {
    this.#needs = needs;
  }

  found(info: PeerInfo): void {
    const peer = info.id.toString();
    const needs = this.#needs;
    if (peer === needs.self || needs.isConnected(peer) || this.#dialling.has(peer)) return;
    if (this.#dialling.size >= MAX_DIALS_AT_ONCE) return;
    if (needs.connectedCount() + this.#dialling.size >= needs.targetPeers) return;
    const addresses = info.multiaddrs
      .slice(0, needs.maxAddressesDialled)
      .map((address) =>
        address.toString().includes('/p2p/') ? address : address.encapsulate(`/p2p/${peer}`),
      );
    if (addresses.length === 0) return;
    this.#dialling.add(peer);
    needs
      .dial(addresses)
      .catch((error: unknown) => {
        needs.logger.debug('discovered peer does not answer', { peer, error: messageOf(error) });
      })
      .finally(() => this.#dialling.delete(peer));
  }
}
