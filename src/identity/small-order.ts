/**
 * Encodings of the points whose order divides eight, the sign bit left out. A signature under such a key can be
 * made to hold for many messages, and verifiers disagree about it, so no such key is anybody's identity here.
 */
const SMALL_ORDER_KEYS: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

const LAST_BYTE = 31;
const SIGN_MASK = 0x7f;

export function isSmallOrderKey(publicKey: Uint8Array): boolean {
  const unsigned = Buffer.from(publicKey);
  unsigned[LAST_BYTE] = (unsigned[LAST_BYTE] ?? 0) & SIGN_MASK;
  return SMALL_ORDER_KEYS.has(unsigned.toString('hex'));
}
