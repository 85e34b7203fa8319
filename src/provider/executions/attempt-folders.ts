import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AttemptFolder, AttemptFolders, OutputStream, TreeSource } from '../ports.ts';

const READ_CHUNK_BYTES = 64 * 1024;

/** On a disk of its own, and not this node's. */
const LOST_AND_FOUND = 'lost+found';
/** No execution is called so. */
const TRIAL_NAME = '.trial';
const TRIAL_BYTES = 1024 * 1024;

/** Folders below `root`, one per attempt, with the two output streams as files beside the work folder. */
export function createAttemptFolders(root: string): AttemptFolders {
  const pathOf = (executionId: string): string => join(root, encodeURIComponent(executionId));
  return {
    async create(executionId) {
      const path = pathOf(executionId);
      await rm(path, { recursive: true, force: true });
      await mkdir(join(path, 'work'), { recursive: true, mode: 0o700 });
      return DiskAttemptFolder.open(path, 'wx');
    },
    async reopen(executionId) {
      return DiskAttemptFolder.open(pathOf(executionId), 'a');
    },
    async remove(executionId) {
      await rm(pathOf(executionId), { recursive: true, force: true });
    },
    async printed(executionId) {
      const stdout = join(pathOf(executionId), 'stdout');
      const stderr = join(pathOf(executionId), 'stderr');
      try {
        const sizes = await Promise.all([stat(stdout), stat(stderr)]);
        const bytes = sizes.reduce((sum, { size }) => sum + size, 0);
        return { stdout: { hostPath: stdout }, stderr: { hostPath: stderr }, bytes };
      } catch {
        return undefined;
      }
    },
    async tryWrite() {
      await mkdir(root, { recursive: true, mode: 0o700 });
      const path = join(root, TRIAL_NAME);
      try {
        await writeFile(path, Buffer.alloc(TRIAL_BYTES), { mode: 0o600, flush: true });
      } finally {
        await rm(path, { force: true });
      }
    },
    async sweep(keep) {
      await mkdir(root, { recursive: true, mode: 0o700 });
      // The folder itself stays: it may be where a disk of its own is mounted.
      const kept = new Set([LOST_AND_FOUND, ...[...keep].map(encodeURIComponent)]);
      for (const name of await readdir(root)) {
        if (!kept.has(name)) await rm(join(root, name), { recursive: true, force: true });
      }
    },
  };
}

interface StreamFile {
  readonly path: string;
  readonly handle: FileHandle;
  written: number;
}

class DiskAttemptFolder implements AttemptFolder {
  readonly hostPath: string;
  readonly #files: Readonly<Record<OutputStream, StreamFile>>;
  #writing: Promise<void> = Promise.resolve();
  #ended = false;
  #wake: () => void = () => {};
  #changed: Promise<void>;

  private constructor(path: string, files: Readonly<Record<OutputStream, StreamFile>>) {
    this.hostPath = join(path, 'work');
    this.#files = files;
    this.#changed = this.#nextChange();
  }

  static async open(path: string, flags: 'wx' | 'a'): Promise<DiskAttemptFolder> {
    const file = async (stream: OutputStream): Promise<StreamFile> => {
      const filePath = join(path, stream);
      const handle = await open(filePath, flags, 0o600);
      return { path: filePath, handle, written: (await handle.stat()).size };
    };
    return new DiskAttemptFolder(path, { stdout: await file('stdout'), stderr: await file('stderr') });
  }

  append(stream: OutputStream, bytes: Uint8Array): Promise<void> {
    const file = this.#files[stream];
    this.#writing = this.#writing.then(async () => {
      await file.handle.writeFile(bytes);
      file.written += bytes.length;
      this.#announce();
    });
    this.#writing.catch(() => {});
    return this.#writing;
  }

  async end(): Promise<void> {
    try {
      await this.#writing;
    } finally {
      this.#ended = true;
      this.#announce();
      await Promise.all([this.#files.stdout.handle.close(), this.#files.stderr.handle.close()]);
    }
  }

  async *read(
    stream: OutputStream,
    offset: number,
    follow: boolean,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    const file = this.#files[stream];
    let position = offset;
    while (!signal.aborted) {
      const changed = this.#changed;
      const ended = this.#ended;
      const end = file.written;
      if (position < end) {
        const chunks = createReadStream(file.path, {
          start: position,
          end: end - 1,
          highWaterMark: READ_CHUNK_BYTES,
        });
        for await (const chunk of chunks) yield new Uint8Array(chunk as Buffer);
        position = end;
      } else if (ended || !follow) {
        return;
      } else {
        await Promise.race([changed, aborted(signal)]);
      }
    }
  }

  source(stream: OutputStream): TreeSource {
    return { hostPath: this.#files[stream].path };
  }

  #announce(): void {
    const wake = this.#wake;
    this.#changed = this.#nextChange();
    wake();
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
