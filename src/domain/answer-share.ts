import { sha256 } from '@noble/hashes/sha2.js';

const encoder = new TextEncoder();

/**
 * Whether `peer` is among the share of providers that answer a request. Everybody can compute it, nobody can choose
 * it, and it differs from request to request, so no provider is always in or always out.
 */
export function isInAnswerShare(requestId: string, peer: string, share: number): boolean {
  if (share >= 1) return true;
  const hash = sha256(encoder.encode(`${requestId}\n${peer}`));
  const [a = 0, b = 0, c = 0, d = 0] = hash;
  return (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) / 2 ** 32 < share;
}
