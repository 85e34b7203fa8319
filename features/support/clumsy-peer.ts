import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { identityOf } from '../../src/identity/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createLibp2pUnderlay } from '../../src/network/libp2p/libp2p-underlay.ts';
import { defaultLibp2pLimits } from '../../src/network/libp2p/options.ts';
import { protocolNames } from '../../src/network/names.ts';
import type { Underlay } from '../../src/network/underlay.ts';

const LIMITS = { maxFrameBytes: 1024, maxChannels: 16, maxChannelsPerPeer: 16 };
const OPEN = { timeoutMs: 1000 };
const LANES = 4;
const AFTER_FAILURE_MS = 20;

/** A peer that opens channels of requests to one node and says what is no request on them, until it is stopped. */
export async function startClumsyPeer(
  network: string,
  target: { readonly peerId: string; readonly address: string },
  over: AbortSignal,
): Promise<Underlay> {
  const peer = createLibp2pUnderlay(
    {
      network,
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announce: [],
      bootstrap: [target.address],
      mdns: false,
      kadDht: 'off',
      peerExchange: false,
      libp2pLogs: false,
      limits: defaultLibp2pLimits,
    },
    { ...identityOf(randomBytes(32)), clock: systemClock, logger: silentLogger },
  );
  await peer.start();
  const goOn = async (): Promise<void> => {
    while (!over.aborted) {
      try {
        const channel = await peer.open(target.peerId, protocolNames(network).request, LIMITS, OPEN);
        await channel.send(Uint8Array.of(0xff));
        await channel.ended;
      } catch {
        await wait(AFTER_FAILURE_MS);
      }
    }
  };
  for (let lane = 0; lane < LANES; lane += 1) void goOn();
  return peer;
}
