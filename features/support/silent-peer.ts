import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { identityOf } from '../../src/identity/index.ts';
import { createLibp2pUnderlay } from '../../src/network/libp2p/libp2p-underlay.ts';
import { defaultLibp2pLimits } from '../../src/network/libp2p/options.ts';
import { protocolNames } from '../../src/network/names.ts';
import type { Underlay } from '../../src/network/underlay.ts';

/** A peer that subscribes to bid requests and never says anything: it keeps bid windows open until their end. */
export async function startSilentPeer(network: string, bootstrap: readonly string[]): Promise<Underlay> {
  const peer = createLibp2pUnderlay(
    {
      network,
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announce: [],
      bootstrap,
      mdns: false,
      kadDht: 'off',
      peerExchange: false,
      libp2pLogs: false,
      limits: defaultLibp2pLimits,
    },
    {
      privateKeyRaw: identityOf(systemRandom.bytes(32)).privateKeyRaw,
      clock: systemClock,
      logger: silentLogger,
    },
  );
  peer.subscribe(protocolNames(network).requestsTopic, () => 'accept');
  await peer.start();
  return peer;
}
