import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { randomBytes } from 'node:crypto';
import { privateKeyFromRaw } from '@libp2p/crypto/keys';
import { multiaddr } from '@multiformats/multiaddr';
import type { Notary } from '../../../src/domain/market/evidence.ts';
import { createNotary, identityOf } from '../../../src/identity/index.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { sealPeerRecord } from '../../../src/network/libp2p/peer-record.ts';
import { requestOf } from '../../bench/requests.ts';
import type { Attack, Scene } from '../attack.ts';
import { hears, publishAt } from '../gossip.ts';
import { advert, signedFrame } from '../made-up.ts';
import { pause } from '../persistence.ts';

const IDENTITIES = 600;
const PER_SECOND = 100;
const BYSTANDERS = 8;
const SIGNED_AT_ONCE = 5;

/** Each identity says that it is found at eight addresses, which are those of others. */
export const dialAmplification: Attack = {
  name: 'dial-amplification',
  about: 'requests and adverts of 600 identities that say they are found at the addresses of somebody else',
  protocol: 'requests, adverts, dials',
  costsFirstJobs: true,
  prepare: async (scene) => {
    const bystanders = await Promise.all(
      Array.from({ length: BYSTANDERS }, (_, index) =>
        bystander(`127.77.${index}.1`, () => scene.count('dials')),
      ),
    );
    const addresses = bystanders.map((server, index) => {
      const { port } = server.address() as AddressInfo;
      return multiaddr(`/ip4/127.77.${index}.1/tcp/${port}`);
    });
    const lures: { readonly request: Uint8Array; readonly advert: Uint8Array }[] = [];
    while (lures.length < IDENTITIES) {
      const identity = identityOf(randomBytes(32));
      const key = privateKeyFromRaw(identity.privateKeyRaw);
      if (key.type !== 'Ed25519') throw new Error('not an Ed25519 key');
      const record = await sealPeerRecord(key, addresses, Date.now());
      lures.push(lureOf(createNotary(identity, scene.network, systemClock), record));
      if (lures.length % SIGNED_AT_ONCE === 0) await pause(1, new AbortController().signal);
    }
    return (signal) => tell(scene, lures, signal);
  },
};

function lureOf(notary: Notary, record: Uint8Array): { request: Uint8Array; advert: Uint8Array } {
  return {
    request: signedFrame(notary, 'bid-request', requestOf({ cpuMillis: 100, hard: [] }, record)),
    advert: signedFrame(notary, 'advert', advert(record)),
  };
}

async function tell(
  scene: Scene,
  lures: readonly { readonly request: Uint8Array; readonly advert: Uint8Array }[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    scene.targets.map(async (target) => {
      const peer = scene.peer(target);
      const asks = target === scene.provider;
      const topic = asks ? scene.names.requestsTopic : scene.names.advertsTopic;
      await peer.underlay.start();
      await hears(peer, target, topic, signal);
      await publishAt(peer, topic, PER_SECOND, signal, (index) => {
        const lure = lures[index];
        if (lure !== undefined) scene.count('lures');
        return asks ? lure?.request : lure?.advert;
      });
    }),
  );
}

/** Takes connections, counts them and ends them. */
async function bystander(host: string, dialled: () => void): Promise<Server> {
  const server = createServer((socket) => {
    dialled();
    socket.on('error', () => {});
    socket.destroy();
  });
  server.listen(0, host);
  await once(server, 'listening');
  return server;
}
