import { randomBytes } from 'node:crypto';
import type { Envelope } from '../../../src/messages/envelope.ts';
import { envelopeOf } from '../../../src/messages/envelope.ts';
import { encodeFrame } from '../../../src/messages/frame.ts';
import type { BenchPeer } from '../../bench/bench-peer.ts';
import { requestOf } from '../../bench/requests.ts';
import type { Attack, Scene } from '../attack.ts';
import { hears, publishAt } from '../gossip.ts';
import { advert, newSigner } from '../made-up.ts';

const PER_SECOND = 600;
const IDENTITIES_PER_TARGET = 3;

type Forge = (envelope: Envelope, scene: Scene) => unknown;

/** What makes a signed message one that nobody has signed. */
const FORGERIES: readonly Forge[] = [
  ({ signature, ...rest }) => ({ ...rest, signature: signature.toReversed() }),
  (envelope, { provider }) => ({ ...envelope, signer: provider.peerId }),
  (envelope, { network }) => ({ ...envelope, signer: newSigner(network).self }),
  ({ payload, ...rest }) => ({ ...rest, payload: payload.map((byte, at) => (at === 40 ? byte ^ 1 : byte)) }),
  (envelope) => ({ ...envelope, more: randomBytes(64) }),
  () => randomBytes(512),
];

/** Gossip punishes who brings it; each of these costs a look before that. */
export const forgedGossip: Attack = {
  name: 'forged-gossip',
  about:
    'adverts and bid requests with signatures that do not hold, of others, altered, or with more in them; 600 a second',
  protocol: 'requests, adverts',
  prepare: async (scene) => {
    const peers = scene.targets.flatMap((target) =>
      Array.from({ length: IDENTITIES_PER_TARGET }, () => ({ target, peer: scene.peer(target) })),
    );
    return async (signal) => {
      await Promise.all(
        peers.map(async ({ target, peer }, lane) => {
          const { requestsTopic, advertsTopic } = scene.names;
          const isRequest = target === scene.provider && lane % 2 === 0;
          const topic = isRequest ? requestsTopic : advertsTopic;
          await peer.underlay.start();
          await hears(peer, target, topic, signal);
          await publishAt(peer, topic, PER_SECOND / IDENTITIES_PER_TARGET, signal, (index) => {
            scene.count('messages');
            return forged(scene, peer, isRequest, index);
          });
        }),
      );
    };
  },
};

function forged(scene: Scene, { notary }: BenchPeer, isRequest: boolean, index: number): Uint8Array {
  const forge = FORGERIES[index % FORGERIES.length] ?? ((envelope) => envelope);
  const evidence = isRequest
    ? notary.sign('bid-request', requestOf({ hard: [] }))
    : notary.sign('advert', advert());
  return encodeFrame({
    kind: isRequest ? 'bid-request' : 'advert',
    body: forge(envelopeOf(evidence), scene),
  });
}
