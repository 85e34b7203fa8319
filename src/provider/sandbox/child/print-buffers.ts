import { MAX_PAYLOAD_BYTES } from './frames.ts';
import type { Stream, WasiContext } from './wasi-context.ts';

/** Prints what a list of buffers in the program's memory names, and says how much that was. */
export function printAll(
  { memory, quota, print }: WasiContext,
  stream: Stream,
  list: number,
  count: number,
): number {
  if (count === 1) {
    // What almost every program does, some of them with every word: no object is made for it.
    const at = memory.u32(list);
    const length = memory.u32(list + 4);
    if (length <= MAX_PAYLOAD_BYTES) {
      const all = memory.around(at, length);
      quota.addBytes(length);
      print(stream, all, at, at + length);
      return length;
    }
  }
  let total = 0;
  for (const buffer of memory.buffers(list, count)) {
    // Counted piece by piece, so that one large write passes a limit as narrowly as many small ones.
    for (let at = 0; at < buffer.length; at += MAX_PAYLOAD_BYTES) {
      const end = Math.min(at + MAX_PAYLOAD_BYTES, buffer.length);
      quota.addBytes(end - at);
      print(stream, buffer, at, end);
    }
    total += buffer.length;
  }
  return total;
}
