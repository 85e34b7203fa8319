import type { Engine } from '../engine.ts';

/** Where the script lies while it runs. */
export const SCRIPT_FOLDER = '/job';

const LEAST_MEMORY_BYTES = 16 * 1024 * 1024;

/** Python scripts. */
export const python: Engine = {
  type: 'python',
  content: { script: { inline: 'text' } },
  params: {},
  leastMemoryBytes: LEAST_MEMORY_BYTES,
  reserved: [{ path: SCRIPT_FOLDER, why: 'holds the script itself' }],
  shortcut: { param: 'script', extensions: ['.py'], startsWith: 'text' },
};
