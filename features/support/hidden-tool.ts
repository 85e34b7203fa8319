import { access, mkdir, readdir, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** A search path with everything that `searchPath` has but `tool`; what has to be made for that is put below `folder`. */
export async function pathWithout(tool: string, searchPath: string, folder: string): Promise<string> {
  const folders = searchPath.split(delimiter).filter((entry) => entry !== '');
  const without = folders.map(async (entry, index) =>
    (await exists(join(entry, tool))) ? await mirror(entry, tool, join(folder, String(index))) : entry,
  );
  return (await Promise.all(without)).join(delimiter);
}

async function mirror(entry: string, tool: string, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const names = (await readdir(entry)).filter((name) => name !== tool);
  await Promise.all(names.map((name) => symlink(join(entry, name), join(folder, name))));
  return folder;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
