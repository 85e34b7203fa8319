import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { SignatureVerifier, Signer } from '../messages/envelope.ts';
import { type Identity, SEED_BYTES } from './key-pair.ts';
import { publicKeyOf } from './peer-id.ts';
import { isSmallOrderKey } from './small-order.ts';

/** DER of an Ed25519 key without the 32 bytes of the key itself. */
const PRIVATE_DER_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_DER_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** Importing a key costs about as much as a verification, so the keys seen last are kept. */
const CACHED_KEYS = 4096;

export function createSigner(identity: Identity): Signer {
  const seed = identity.privateKeyRaw.subarray(0, SEED_BYTES);
  const key = createPrivateKey({
    key: Buffer.concat([PRIVATE_DER_PREFIX, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  return {
    self: identity.peerId,
    sign: (bytes) => new Uint8Array(sign(null, bytes, key)),
  };
}

function importKey(peerId: string): KeyObject | undefined {
  const publicKey = publicKeyOf(peerId);
  if (publicKey === undefined || isSmallOrderKey(publicKey)) return undefined;
  try {
    return createPublicKey({
      key: Buffer.concat([PUBLIC_DER_PREFIX, publicKey]),
      format: 'der',
      type: 'spki',
    });
  } catch {
    return undefined;
  }
}

export function createSignatureVerifier(): SignatureVerifier {
  const keys = new LRUCache<string, KeyObject>({ max: CACHED_KEYS });
  return {
    verify(signer, bytes, signature) {
      const known = keys.get(signer);
      const key = known ?? importKey(signer);
      if (key === undefined || !verify(null, bytes, key, signature)) return false;
      // Only keys of good signatures are kept: invented signers cannot push them out.
      if (known === undefined) keys.set(signer, key);
      return true;
    },
  };
}
