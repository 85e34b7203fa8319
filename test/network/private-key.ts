import { generateKeyPairSync } from 'node:crypto';

/** Seed and public key, as `createLibp2pUnderlay` takes them. */
export function newPrivateKey(): Uint8Array {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return new Uint8Array(
    Buffer.concat([Buffer.from(jwk.d ?? '', 'base64url'), Buffer.from(jwk.x ?? '', 'base64url')]),
  );
}
