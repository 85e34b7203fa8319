import { buckets, keyOf } from './buckets.ts';
import { type Database, databaseNewer, databaseUnreadable, type Operation } from './database.ts';
import { type Migration, type MigrationNeeds, migrations } from './migrations/index.ts';

/** The record of `meta` in which the store keeps its format: one byte. */
export const FORMAT_NAME = 'format';
const FORMAT_KEY = `${buckets.meta}!${keyOf(FORMAT_NAME)}`;
const FIRST_FORMAT = 1;

/**
 * Brings a store to the newest format, step by step; what is new gets it at once. Cut off anywhere, it goes on at the
 * next start with the step it was in. Throws `DATABASE_NEWER` for a store of a later version, with nothing changed, and
 * `DATABASE_UNREADABLE` for one whose format is none.
 */
export async function bringUpToDate(
  folder: string,
  needs: MigrationNeeds,
  steps: readonly Migration[] = migrations,
): Promise<void> {
  const { database, logger } = needs;
  const stored = await formatOf(database, folder);
  const newest = steps.at(-1)?.format ?? FIRST_FORMAT;
  if (stored !== undefined && stored > newest) throw databaseNewer(folder, stored, newest);
  let written = stored;
  for (const migration of steps) {
    if (migration.format <= (stored ?? FIRST_FORMAT)) continue;
    let hasChanges = false;
    for await (const operations of migration.steps(needs)) {
      hasChanges = true;
      await database.batch(operations);
    }
    if (!hasChanges) continue;
    await database.batch([formatOperation(migration.format)]);
    written = migration.format;
    logger.info('the store has a new format', { format: migration.format, what: migration.what });
  }
  if (written !== newest) await database.batch([formatOperation(newest)]);
  for (const migration of steps) await migration.leftovers?.(needs);
}

async function formatOf(database: Database, folder: string): Promise<number | undefined> {
  const stored = await database.get(FORMAT_KEY);
  if (stored === undefined) return undefined;
  const format = stored.length === 1 ? stored[0] : undefined;
  if (format === undefined || format < FIRST_FORMAT) {
    throw databaseUnreadable(folder, new Error('its format is not a number'));
  }
  return format;
}

function formatOperation(format: number): Operation {
  return { type: 'put', key: FORMAT_KEY, value: Uint8Array.of(format) };
}
