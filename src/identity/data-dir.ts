import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError, codeOf } from '../lib/coded-error.ts';

const OWNER_ONLY = 0o700;
/** Whoever may write there can put another key in place of this one; others than the group may not even look. */
const OPEN_TO_OTHERS = 0o027;
/** What a start writes before there is a key. */
const WRITTEN_BEFORE: ReadonlySet<string> = new Set(['config.yaml']);
/** What only a node that had a key has written. */
const WRITTEN_AFTER = ['store', 'content'];

/** Makes the data directory ready for a first key. Throws `IDENTITY_MISSING` where there was one, `DATA_DIR_EXPOSED`. */
export async function prepareDataDir(dataDir: string, keyFile: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: OWNER_ONLY });
  const left: string[] = [];
  for (const name of WRITTEN_AFTER) {
    if ((await entriesOf(join(dataDir, name))).length > 0) left.push(name);
  }
  if (left.length > 0) throw missing(dataDir, keyFile, left);
  const entries = await entriesOf(dataDir);
  // A folder that was made for this node and is used for nothing yet; any other is not for it to shut.
  const isFresh = entries.every((name) => WRITTEN_BEFORE.has(name));
  if (isFresh && (await isOpenToOthers(dataDir))) await chmod(dataDir, OWNER_ONLY).catch(() => {});
  await checkDataDir(dataDir);
}

/** Throws `DATA_DIR_EXPOSED`. */
export async function checkDataDir(dataDir: string): Promise<void> {
  if (!(await isOpenToOthers(dataDir))) return;
  throw new CodedError(
    'DATA_DIR_EXPOSED',
    `Other users can get at the data directory ${dataDir}, which holds the key of this node. Run "chmod 700" on it where it is this node's alone, or choose another with --data-dir DIR.`,
    { data: { dataDir } },
  );
}

async function isOpenToOthers(dataDir: string): Promise<boolean> {
  const { mode } = await stat(dataDir);
  return (mode & OPEN_TO_OTHERS) !== 0;
}

async function entriesOf(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

function missing(dataDir: string, keyFile: string, left: readonly string[]): CodedError {
  return new CodedError(
    'IDENTITY_MISSING',
    `The key ${keyFile} is gone, and the data directory ${dataDir} was in use: it still has ${left.join(' and ')}. With another key it would be another node, which cannot go on with any of that. Put the key file back from a copy, or choose another directory with --data-dir DIR to start as a new node.`,
    { data: { dataDir, left } },
  );
}
