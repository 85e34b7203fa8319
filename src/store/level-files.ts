import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { codeOf } from '../lib/coded-error.ts';
import type { DamageLog } from './damage-log.ts';
import { databaseUnreadable } from './database.ts';
import { lossOf } from './level-log.ts';

/** How each file was when the database was closed. LevelDB leaves files of other names alone. */
const STATE = 'files.json';
/** Written once and never changed, and a number is never used again. */
const TABLE = /^\d+\.(ldb|sst)$/;
const LOG = /^\d+\.log$/;
/** The buffer of LevelDB is 4 MiB, and a log little longer; more than this is read by LevelDB alone. */
const MOST_LOG_BYTES = 256 * 1024 * 1024;

const stateSchema = z.strictObject({
  manifest: z.string(),
  /** Nothing was written behind it. */
  closed: z.boolean(),
  files: z.record(
    z.string(),
    z.strictObject({ size: z.int().nonnegative(), checksum: z.int().nonnegative().optional() }),
  ),
});
type FilesState = z.infer<typeof stateSchema>;

/**
 * Looks at the files of a closed database before LevelDB does: it passes over damage in its write-ahead log and over
 * changes that are gone from its list of tables, and says nothing. Damage of the log is noted, as all else can be served;
 * throws `DATABASE_UNREADABLE`, with nothing changed, where tables or their list are not all there.
 */
export async function inspectFiles(folder: string, damage: DamageLog): Promise<void> {
  const present = await sizesOf(folder);
  // Without it LevelDB begins anew, beside all that was written.
  if (!present.has('CURRENT') && [...present].some(([name, size]) => isWritten(name, size))) {
    throw databaseUnreadable(folder, new Error('CURRENT is gone, which says where the database begins'));
  }
  const noted = await notedState(folder);
  const isLatest = noted?.closed === true && noted.manifest === (await manifestOf(folder));
  for (const [name, { size, checksum }] of Object.entries(noted?.files ?? {})) {
    const left = present.get(name);
    const isShort = left === undefined ? isLatest : left < size && (isLatest || TABLE.test(name));
    const path = join(folder, name);
    if (isShort && !LOG.test(name)) throw shortened(folder, name, size, left);
    if (isShort) {
      const message = `The write-ahead log had ${size} bytes when the node was stopped and has ${left ?? 0} now: the last changes are lost.`;
      damage.note({ where: path, message });
    } else if (left === size && checksum !== undefined && (await checksumOf(path)) !== checksum) {
      // LevelDB does not look at its checksums, and ends the whole process over what it then finds.
      throw databaseUnreadable(folder, new Error(`${name} is not what was written there`));
    }
  }
  for (const [name, size] of present) {
    if (LOG.test(name) && size <= MOST_LOG_BYTES) await inspectLog(join(folder, name), damage);
  }
}

/** Notes how each file is: tables that are new, and once the database is `closed` the rest. A help: its failure stops nobody. */
export async function noteFiles(folder: string, closed: boolean): Promise<void> {
  const manifest = await manifestOf(folder);
  if (manifest === undefined) return;
  const before = (await notedState(folder))?.files ?? {};
  const files: FilesState['files'] = {};
  for (const [name, size] of await sizesOf(folder)) {
    // One that has another size now was noted while LevelDB was writing it.
    const noted = before[name]?.size === size ? before[name].checksum : undefined;
    const checksum = TABLE.test(name) ? (noted ?? (await checksumOf(join(folder, name)))) : undefined;
    files[name] = { size, ...(checksum === undefined ? {} : { checksum }) };
  }
  const state: FilesState = { manifest, closed, files };
  const path = join(folder, STATE);
  await writeFile(`${path}.new`, JSON.stringify(state), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** A start that was cut off leaves neither: the database did not begin. */
function isWritten(name: string, size: number): boolean {
  return TABLE.test(name) || (LOG.test(name) && size > 0);
}

async function checksumOf(path: string): Promise<number> {
  return crc32(await readFile(path));
}

async function inspectLog(path: string, damage: DamageLog): Promise<void> {
  const loss = lossOf(await readFile(path));
  if (loss === undefined) return;
  const { damagedBytes, cutBytes, keys } = loss;
  const named = keys.length === 0 ? {} : { lost: keys };
  if (damagedBytes > 0) {
    const message = `The write-ahead log is damaged: changes in ${damagedBytes} bytes of it are lost. What was written before and behind them is served.`;
    damage.note({ where: path, message, ...named });
  } else {
    const message = `The write-ahead log ends within a change of ${cutBytes} bytes: it was being written when the node ended, or the file was cut. That change is lost.`;
    damage.note({ where: path, message, ...named });
  }
}

/** By name, in the order in which LevelDB wrote them; nothing but its own files. */
async function sizesOf(folder: string): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  const names = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  // Of two logs the older one has the lower number.
  for (const name of names.toSorted((a, b) => (a < b ? -1 : 1))) {
    if (!/^(\d+\.(log|ldb|sst)|MANIFEST-\d+|CURRENT)$/.test(name)) continue;
    sizes.set(name, (await stat(join(folder, name))).size);
  }
  return sizes;
}

async function manifestOf(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, 'CURRENT'), 'latin1').catch(() => '');
  return /^(MANIFEST-\d+)\n$/.exec(text)?.[1];
}

async function notedState(folder: string): Promise<FilesState | undefined> {
  try {
    return stateSchema.parse(JSON.parse(await readFile(join(folder, STATE), 'utf8')));
  } catch {
    return undefined;
  }
}

function shortened(
  folder: string,
  name: string,
  size: number,
  left: number | undefined,
): ReturnType<typeof databaseUnreadable> {
  const now = left === undefined ? 'is gone' : `has ${left}`;
  return databaseUnreadable(folder, new Error(`${name} had ${size} bytes when it was closed, and ${now}`));
}
