/**
 * Ed25519 of one native library. All of them accept the same signatures: those of RFC 8032 without the cofactor, `s`
 * below the order of the group, no point of small order.
 */
export interface Ed25519 {
  /** Signs with a key of {@link Identity.privateKeyRaw}: seed and public key. */
  signer(privateKeyRaw: Uint8Array): (bytes: Uint8Array) => Uint8Array;
  /** Checks signatures of 64 bytes; undefined for what is no key. */
  verifier(publicKey: Uint8Array): ((bytes: Uint8Array, signature: Uint8Array) => boolean) | undefined;
}

/** libsodium takes about half the time of OpenSSL, but is not built for every machine. */
export async function fastestEd25519(): Promise<Ed25519> {
  try {
    return (await import('./ed25519-libsodium.ts')).libsodium;
  } catch {
    return (await import('./ed25519-openssl.ts')).openssl;
  }
}
