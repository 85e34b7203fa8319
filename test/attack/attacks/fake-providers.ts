import type { Attack } from '../attack.ts';
import { advert, newSigner, signedFrame } from '../made-up.ts';
import { hears, publishAt } from '../gossip.ts';
import { pause } from '../persistence.ts';

const ADVERTS = 10_000;
const PER_SECOND = 1300;
const SIGNED_AT_ONCE = 100;

/** Who believes them takes the network for large, and asks a sample that leaves the real provider out. */
export const fakeProviders: Attack = {
  name: 'fake-providers',
  about: '10 000 signed adverts of new identities, over one connection to each node',
  protocol: 'adverts',
  costsFirstJobs: true,
  quick: true,
  prepare: async (scene) => {
    const adverts: Uint8Array[] = [];
    while (adverts.length < ADVERTS) {
      adverts.push(signedFrame(newSigner(scene.network), 'advert', advert()));
      if (adverts.length % SIGNED_AT_ONCE === 0) await pause(1, new AbortController().signal);
    }
    const peers = scene.targets.map((target) => ({ target, peer: scene.peer(target) }));
    return async (signal) => {
      await Promise.all(
        peers.map(async ({ target, peer }) => {
          await peer.underlay.start();
          await hears(peer, target, scene.names.advertsTopic, signal);
          await publishAt(peer, scene.names.advertsTopic, PER_SECOND, signal, (index) => {
            if (index >= ADVERTS) return undefined;
            scene.count('adverts');
            return adverts[index];
          });
        }),
      );
    };
  },
};
