import sodium from 'sodium-native';
import type { Ed25519 } from './ed25519.ts';

const SIGNATURE_BYTES = 64;

export const libsodium: Ed25519 = {
  signer(privateKeyRaw) {
    const key = Buffer.from(privateKeyRaw);
    return (bytes) => {
      const signature = new Uint8Array(SIGNATURE_BYTES);
      sodium.crypto_sign_detached(signature, bytes, key);
      return signature;
    };
  },
  verifier(publicKey) {
    const key = Buffer.from(publicKey);
    return (bytes, signature) => sodium.crypto_sign_verify_detached(signature, bytes, key);
  },
};
