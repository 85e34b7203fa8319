import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

const FIXTURES = new URL('../../test/fixtures/gpu/', import.meta.url);
const QUERY = '--query-gpu=index,uuid,name,memory.total,driver_version,compute_cap';

/** A search path on which `nvidia-smi` is a program in `folder` that answers the query for devices with a fixture. */
export async function pathWithNvidiaSmi(
  fixture: string,
  searchPath: string,
  folder: string,
): Promise<string> {
  const table = await readFile(new URL(fixture, FIXTURES), 'utf8');
  // Nothing but the shell's own words: the program is run with whatever PATH the tests have.
  const script = [
    '#!/bin/sh',
    `test "$1" = '${QUERY}' || exit 2`,
    `printf '%s' '${table.replaceAll("'", String.raw`'\''`)}'`,
    '',
  ].join('\n');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'nvidia-smi'), script, { mode: 0o755 });
  return [folder, searchPath].join(delimiter);
}
