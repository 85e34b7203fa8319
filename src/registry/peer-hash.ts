import { sha256 } from '@noble/hashes/sha2.js';

const encoder = new TextEncoder();

/**
 * Where a peer id falls in [0, 1), to a precision of 2^-48. The salt is this node's secret, so nobody can make peer
 * ids that fall where they want them to.
 */
export function peerHash(salt: Uint8Array, peer: string): number {
  const id = encoder.encode(peer);
  const bytes = new Uint8Array(salt.length + id.length);
  bytes.set(salt);
  bytes.set(id, salt.length);
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = sha256(bytes);
  const high = ((a << 16) | (b << 8) | c) >>> 0;
  const low = ((d << 16) | (e << 8) | f) >>> 0;
  return (high * 2 ** 24 + low) / 2 ** 48;
}
