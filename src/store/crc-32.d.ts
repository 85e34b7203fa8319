/** The part of the package that is used here: CRC-32 as LevelDB has it (Castagnoli), for which it brings no types. */
declare module 'crc-32/crc32c.js' {
  const crc32c: {
    /** The signed checksum of bytes, gone on from that of those before them. */
    buf(bytes: Uint8Array, before?: number): number;
  };
  export default crc32c;
}
