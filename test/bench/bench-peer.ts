import type { Notary } from '../../src/domain/market/evidence.ts';
import { createNotary, type Identity } from '../../src/identity/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { Transports } from '../../src/network/libp2p/host.ts';
import { createLibp2pUnderlay } from '../../src/network/libp2p/libp2p-underlay.ts';
import { defaultLibp2pLimits } from '../../src/network/libp2p/options.ts';
import { protocolNames } from '../../src/network/names.ts';
import type { Underlay } from '../../src/network/underlay.ts';

export interface BenchPeer {
  readonly underlay: Underlay;
  readonly notary: Notary;
}

/** The production transport and signer of one identity, with nothing of the market on it, linked to one node. */
export function createBenchPeer(
  identity: Identity,
  network: string,
  bootstrap: string,
  transports?: Transports,
): BenchPeer {
  const underlay = createLibp2pUnderlay(
    {
      network,
      listen: [],
      announce: [],
      bootstrap: [bootstrap],
      mdns: false,
      kadDht: 'off',
      peerExchange: false,
      libp2pLogs: false,
      limits: defaultLibp2pLimits,
    },
    {
      privateKeyRaw: identity.privateKeyRaw,
      clock: systemClock,
      logger: silentLogger,
      ...(transports === undefined ? {} : { transports }),
    },
  );
  return { underlay, notary: createNotary(identity, network, systemClock) };
}

/** Resolves when gossip of this peer reaches the node it is linked to. */
export function heard({ underlay }: BenchPeer, network: string): Promise<void> {
  const { requestsTopic } = protocolNames(network);
  return new Promise((resolve) => {
    const look = (): void => {
      if (underlay.subscribers(requestsTopic).length > 0) resolve();
    };
    underlay.listen({ peerConnected: look, peerDisconnected: () => {}, subscribersChanged: look });
    look();
  });
}
