import * as ed25519 from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import { assert } from '../lib/assert.ts';
import { didKeyOf, peerIdOf } from './peer-id.ts';

ed25519.hashes.sha512 = sha512;

export const SEED_BYTES = 32;

/** An Ed25519 key and the names that follow from it. */
export interface Identity {
  readonly peerId: string;
  readonly did: string;
  readonly publicKey: Uint8Array;
  /** Seed and public key, 64 bytes: the form in which libp2p takes a private key. */
  readonly privateKeyRaw: Uint8Array;
}

/** The identity that belongs to a seed of 32 random bytes. */
export function identityOf(seed: Uint8Array): Identity {
  assert(seed.length === SEED_BYTES, 'a seed has 32 bytes');
  const publicKey = ed25519.getPublicKey(seed);
  const privateKeyRaw = new Uint8Array(SEED_BYTES + publicKey.length);
  privateKeyRaw.set(seed);
  privateKeyRaw.set(publicKey, SEED_BYTES);
  return { peerId: peerIdOf(publicKey), did: didKeyOf(publicKey), publicKey, privateKeyRaw };
}
