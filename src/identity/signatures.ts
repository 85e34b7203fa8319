import { LRUCache } from 'lru-cache';
import type { SignatureVerifier, Signer } from '../messages/envelope.ts';
import { type Ed25519, fastestEd25519 } from './ed25519.ts';
import type { Identity } from './key-pair.ts';
import { publicKeyOf } from './peer-id.ts';
import { isSmallOrderKey } from './small-order.ts';

/** Importing a key costs a good part of a verification, so the keys seen last are kept. */
const CACHED_KEYS = 4096;
const SIGNATURE_BYTES = 64;

type Check = NonNullable<ReturnType<Ed25519['verifier']>>;

const native = await fastestEd25519();

export function createSigner(identity: Identity, ed25519: Ed25519 = native): Signer {
  return { self: identity.peerId, sign: ed25519.signer(identity.privateKeyRaw) };
}

function checkOf(peerId: string, ed25519: Ed25519): Check | undefined {
  const publicKey = publicKeyOf(peerId);
  if (publicKey === undefined || isSmallOrderKey(publicKey)) return undefined;
  return ed25519.verifier(publicKey);
}

export function createSignatureVerifier(ed25519: Ed25519 = native): SignatureVerifier {
  const checks = new LRUCache<string, Check>({ max: CACHED_KEYS });
  return {
    verify(signer, bytes, signature) {
      if (signature.length !== SIGNATURE_BYTES) return false;
      const known = checks.get(signer);
      const check = known ?? checkOf(signer, ed25519);
      if (check === undefined || !check(bytes, signature)) return false;
      // Only keys of good signatures are kept: invented signers cannot push them out.
      if (known === undefined) checks.set(signer, check);
      return true;
    },
  };
}
