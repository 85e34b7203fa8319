import { open } from 'node:fs/promises';

/** Makes the bytes of a file durable; for a folder, the names in it. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
