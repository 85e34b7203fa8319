import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of shell scripts that stand in for the tools of a machine. */
export interface ScriptedTools {
  readonly folder: string;
  /** Adds an executable `name` with this shell body. */
  add(name: string, body: string): Promise<void>;
  remove(): Promise<void>;
}

export async function createScriptedTools(): Promise<ScriptedTools> {
  const folder = await mkdtemp(join(tmpdir(), 'bidmesh-tools-'));
  return {
    folder,
    async add(name, body) {
      const path = join(folder, name);
      await writeFile(path, `#!/bin/sh\n${body}\n`);
      await chmod(path, 0o755);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
