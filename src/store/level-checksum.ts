import crc32c from 'crc-32/crc32c.js';

const MASK_DELTA = 0xa282ead8;

/** Whether LevelDB's checksum over `parts` is `stored`. It keeps them turned and shifted. */
export function fitsChecksum(stored: number, ...parts: readonly Uint8Array[]): boolean {
  let crc = 0;
  for (const part of parts) crc = crc32c.buf(part, crc);
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0 === stored;
}
