import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createLibp2pUnderlay } from '../../src/network/libp2p/libp2p-underlay.ts';
import { defaultLibp2pLimits } from '../../src/network/libp2p/options.ts';
import type { Channel } from '../../src/network/underlay.ts';
import { newPrivateKey } from './private-key.ts';

/**
 * A node in a process of its own. `open` holds a channel until it is killed; `visit` stops, reports how long that
 * took and must then end by itself.
 */
const [, , task, protocol = '', peer = '', ...bootstrap] = process.argv;
const limits = { maxFrameBytes: 1024, maxChannels: 4, maxChannelsPerPeer: 4 };
const node = createLibp2pUnderlay(
  {
    network: 'test',
    listen: ['/ip4/127.0.0.1/tcp/0'],
    announce: [],
    bootstrap,
    mdns: false,
    kadDht: 'off',
    peerExchange: true,
    libp2pLogs: false,
    limits: defaultLibp2pLimits,
  },
  { privateKeyRaw: newPrivateKey(), clock: systemClock, logger: silentLogger },
);
node.subscribe('/test/topic/1', () => 'accept');
const opened = new Promise<Channel>((resolve, reject) => {
  node.listen({
    peerConnected: () => void node.open(peer, protocol, limits, { timeoutMs: 5000 }).then(resolve, reject),
    peerDisconnected: () => {},
    subscribersChanged: () => {},
  });
});
await node.start();
const channel = await opened;
await channel.send(new TextEncoder().encode('hello'));
if (task === 'visit') {
  const startedMs = performance.now();
  await node.stop();
  process.send?.({ stopTookMs: performance.now() - startedMs });
  process.disconnect();
}
