import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../../src/cli/run.ts';
import { systemClock } from '../../src/lib/clock.ts';

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder in which commands are typed, and what the last of them came to. */
export class TypedCommands {
  readonly folder: string;
  #last: Outcome = { exitCode: -1, stdout: '', stderr: '' };

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async begin(scripts: ReadonlyMap<string, string>): Promise<TypedCommands> {
    const typed = new TypedCommands(await mkdtemp(join(tmpdir(), 'bidmesh-typed-')));
    for (const [name, text] of scripts) await writeFile(join(typed.folder, name), text);
    return typed;
  }

  get last(): Outcome {
    return this.#last;
  }

  async type(argv: readonly string[], api: string, input = ''): Promise<void> {
    const written = { stdout: '', stderr: '' };
    const stream = (name: keyof typeof written) => ({
      isTTY: false,
      write: async (chunk: string | Uint8Array) => {
        written[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
      },
    });
    const notHere = (): never => {
      throw new Error('no node is started by a command here');
    };
    const exitCode = await runCli({
      argv,
      env: { BIDMESH_API: api },
      home: this.folder,
      cwd: this.folder,
      stdin: {
        isTTY: false,
        bytes: async function* () {
          yield Buffer.from(input);
        },
      },
      stdout: stream('stdout'),
      stderr: stream('stderr'),
      clock: systemClock,
      onStop: () => () => {},
      startNode: notHere,
      localNetwork: notHere,
    });
    this.#last = { exitCode, ...written };
  }

  async end(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
