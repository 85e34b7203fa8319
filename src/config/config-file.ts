import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CodedError, codeOf, messageOf } from '../lib/coded-error.ts';
import { DocumentFault } from '../lib/documents/document-fault.ts';
import { readDocument } from '../lib/documents/read-document.ts';
import { isTree, type Tree } from './layers.ts';

const DEFAULTS = new URL('../../config/default.yaml', import.meta.url);
export const CONFIG_FILE = 'config.yaml';

/** The values of a YAML file, undefined where there is none. Throws `CONFIG_UNREADABLE`; never quotes the file. */
export async function readConfigFile(path: string): Promise<Tree | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw new CodedError('CONFIG_UNREADABLE', `The file ${path} cannot be read: ${messageOf(cause)}.`, {
      cause,
    });
  }
  const value = valueIn(bytes, path) ?? {};
  if (isTree(value)) return value;
  throw new CodedError('CONFIG_UNREADABLE', `The file ${path} must hold keys and values.`);
}

/** The fault is no cause of what is thrown: it quotes the file. */
function valueIn(bytes: Uint8Array, path: string): unknown {
  try {
    return readDocument(bytes, 'yaml').value;
  } catch (error) {
    if (!(error instanceof DocumentFault)) throw error;
    const { place, reason } = error;
    const where = place === undefined ? '' : `, line ${place.line}, column ${place.column}`;
    throw new CodedError('CONFIG_UNREADABLE', `The file ${path}${where}: ${reason}.`);
  }
}

/**
 * Writes a copy of the commented defaults into the data directory, for people to edit. It appears whole or not at
 * all, and only its owner can read it, as it may come to hold a token.
 */
export async function writeDefaultConfig(dataDir: string): Promise<string> {
  const path = join(dataDir, CONFIG_FILE);
  const defaults = await readFile(DEFAULTS, 'utf8');
  const text = defaults.replace(/^dataDir: .*$/m, () => `dataDir: ${JSON.stringify(dataDir)}`);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const temporary = `${path}.new`;
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    throw new CodedError(
      'CONFIG_NOT_WRITTEN',
      `The data directory ${dataDir} cannot be written: ${messageOf(cause)}. Choose another with --data-dir DIR.`,
      { cause },
    );
  }
  return path;
}
