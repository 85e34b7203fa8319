import type { Engine } from '../engine.ts';

/** One page is the least a module has. */
const LEAST_MEMORY_BYTES = 64 * 1024;

/** WebAssembly modules that are WASI preview 1 commands. */
export const wasm: Engine = {
  type: 'wasm',
  content: { module: { inline: 'base64' } },
  params: {},
  leastMemoryBytes: LEAST_MEMORY_BYTES,
  reserved: [],
  shortcut: { param: 'module', extensions: ['.wasm'], startsWith: Uint8Array.of(0x00, 0x61, 0x73, 0x6d) },
};
