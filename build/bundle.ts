import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ENTRY = fileURLToPath(new URL('../src/provider/sandbox/child/main.ts', import.meta.url));

/** The program of the sandbox's child with all that it imports, as one file: it is started for every attempt. */
export async function bundleSandboxChild(): Promise<string> {
  const bundle = await rolldown({ input: ENTRY, platform: 'node' });
  try {
    const { output } = await bundle.generate({ format: 'esm' });
    return output[0].code;
  } finally {
    await bundle.close();
  }
}
