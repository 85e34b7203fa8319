const MEMORY_SECTION = 5;
const PREAMBLE_BYTES = 8;
const FLAG_SHARED = 2;
const FLAG_64_BIT = 4;

/**
 * What is wrong with the memory a module asks for. The engine bounds each memory and not their number, and it
 * does not tell a module's memories, so the section is read here. Anything malformed is left to the compiler.
 */
export function refuseMemories(bytes: Uint8Array): string | undefined {
  const section = findSection(bytes, MEMORY_SECTION);
  if (section === undefined) return undefined;
  const [count = 0, flags = 0] = section;
  if (count > 1) return 'The module has more than one memory.';
  if (count === 1 && (flags & FLAG_SHARED) !== 0) return 'The module shares its memory between threads.';
  if (count === 1 && (flags & FLAG_64_BIT) !== 0) return 'The module has a 64-bit memory.';
  return undefined;
}

function findSection(bytes: Uint8Array, wanted: number): Uint8Array | undefined {
  let offset = PREAMBLE_BYTES;
  while (offset < bytes.length) {
    const id = bytes[offset];
    const size = readLeb(bytes, offset + 1);
    if (size === undefined) return undefined;
    if (id === wanted) return bytes.subarray(size.end, size.end + size.value);
    offset = size.end + size.value;
  }
  return undefined;
}

function readLeb(bytes: Uint8Array, start: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let index = 0; index < 5; index += 1) {
    const byte = bytes[start + index];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, end: start + index + 1 };
  }
  return undefined;
}
