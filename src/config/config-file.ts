import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { CodedError, codeOf, messageOf } from '../lib/coded-error.ts';
import { isTree, type Tree } from './layers.ts';

const DEFAULTS = new URL('../../config/default.yaml', import.meta.url);
export const CONFIG_FILE = 'config.yaml';

/** The values of a YAML file, undefined where there is none. Throws `CONFIG_UNREADABLE`; never quotes the file. */
export async function readConfigFile(path: string): Promise<Tree | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw new CodedError('CONFIG_UNREADABLE', `The file ${path} cannot be read: ${messageOf(cause)}.`, {
      cause,
    });
  }
  return parseConfig(text, path);
}

function parseConfig(text: string, path: string): Tree {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    schema: 'core',
    stringKeys: true,
    prettyErrors: false,
    resolveKnownTags: false,
    lineCounter,
  });
  const [fault] = [...document.errors, ...document.warnings];
  if (fault !== undefined) {
    const { line } = lineCounter.linePos(fault.pos[0]);
    const reason = fault.code.toLowerCase().replaceAll('_', ' ');
    throw new CodedError('CONFIG_UNREADABLE', `The file ${path} is not YAML: ${reason} in line ${line}.`);
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
  if (isTree(value)) return value;
  throw new CodedError('CONFIG_UNREADABLE', `The file ${path} must hold keys and values.`);
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
