/**
 * Gives memory back that nobody reads any more. Left to the garbage collector, what is read from hundreds of connections
 * stays until it comes by, while more is read.
 */
export function freeAtOnce({ buffer, byteLength }: Uint8Array): void {
  // What is a part may share its memory with others.
  if (byteLength !== buffer.byteLength) return;
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}
