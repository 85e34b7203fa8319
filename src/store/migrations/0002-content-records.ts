import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../lib/coded-error.ts';
import { buckets, keyOf } from '../buckets.ts';
import type { Database, Operation } from '../database.ts';
import { syncFile } from '../disk-sync.ts';
import { KeySet, Repository } from '../records.ts';
import { readJournal, type JournalObject } from './content-journal.ts';
import { inSteps, type Migration } from './migration.ts';

const JOURNAL_FILES = ['journal', 'journal.next'];

interface ContentObject extends JournalObject {
  readonly inline: readonly string[];
}

/** Objects and pins from the journal that the content store kept beside its blocks. Its blocks stay files. */
export const contentRecords: Migration = {
  format: 2,
  what: 'the journal of content becomes records',
  async *steps({ database, contentFolder, logger }) {
    if (contentFolder === undefined) return;
    const objects = new Repository<ContentObject>(database, buckets.contentObject, ({ cid }) => keyOf(cid));
    const pins = new KeySet(database, buckets.contentPin);
    const content = await readJournal(join(contentFolder, 'journal'), logger);
    // A store of today that damage has cost its format has none: its records are all there is.
    if (content === undefined) return;
    // Of a step that was cut off, before the former version went on with its journal.
    yield* inSteps(removalOf(database));
    yield* inSteps(
      (function* (): Generator<Operation> {
        for (const object of content.objects.values()) yield objects.put({ ...object, inline: [] });
        for (const [owner, kept] of content.pins) for (const cid of kept) yield pins.put(keyOf(owner, cid));
      })(),
    );
  },
  async leftovers({ contentFolder }) {
    if (contentFolder === undefined) return;
    let isGone = false;
    for (const name of JOURNAL_FILES) isGone = (await removed(join(contentFolder, name))) || isGone;
    if (isGone) await syncFile(contentFolder);
  },
};

async function* removalOf(database: Database): AsyncGenerator<Operation> {
  for (const bucket of [buckets.contentObject, buckets.contentPin]) {
    const records = new KeySet(database, bucket);
    for await (const key of records.keys()) yield records.remove(key);
  }
}

/** False where there was no such file. */
async function removed(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}
