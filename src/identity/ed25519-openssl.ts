import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { Ed25519 } from './ed25519.ts';
import { SEED_BYTES } from './key-pair.ts';

/** DER of an Ed25519 key without the 32 bytes of the key itself. */
const PRIVATE_DER_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_DER_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export const openssl: Ed25519 = {
  signer(privateKeyRaw) {
    const seed = privateKeyRaw.subarray(0, SEED_BYTES);
    const key = createPrivateKey({
      key: Buffer.concat([PRIVATE_DER_PREFIX, seed]),
      format: 'der',
      type: 'pkcs8',
    });
    return (bytes) => new Uint8Array(sign(null, bytes, key));
  },
  verifier(publicKey) {
    try {
      const key = createPublicKey({
        key: Buffer.concat([PUBLIC_DER_PREFIX, publicKey]),
        format: 'der',
        type: 'spki',
      });
      return (bytes, signature) => verify(null, bytes, key, signature);
    } catch {
      return undefined;
    }
  },
};
