import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { getSystemErrorMessage } from 'node:util';
import { CodedError, codeOf, messageOf } from '../lib/coded-error.ts';
import { systemRandom } from '../lib/random.ts';

/** What separates folders or streams on Windows, and what its names cannot have. */
const UNSAFE_ON_WINDOWS = /[\\:*?"<>|\p{Cc}]|[ .]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/iu;

/**
 * The parts of a path below a folder. The path came from a provider, so it must not lead out of the folder: throws
 * `RESULT_PATH_UNSAFE` where it would. Elsewhere than on Windows a name may hold anything but a slash and NUL.
 */
export function partsBelow(path: string, platform: NodeJS.Platform = process.platform): readonly string[] {
  const parts = path.split('/');
  const unsafe = (part: string): boolean =>
    ['', '.', '..'].includes(part) ||
    part.includes('\0') ||
    (platform === 'win32' && UNSAFE_ON_WINDOWS.test(part));
  if (!parts.some(unsafe)) return parts;
  throw new CodedError('RESULT_PATH_UNSAFE', 'its name is no safe one for a file here.');
}

const NO_LINK = constants.O_NOFOLLOW ?? 0;
const FOLDER = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0);
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NO_LINK;
/** Where a folder that is open can be gone on from, whatever its path leads to by now. */
const OPEN_FOLDERS = '/proc/self/fd';

/** A folder on the way to a file: open, and the path that it was opened by. */
interface Place {
  readonly handle: FileHandle | undefined;
  readonly path: string;
}

/**
 * Where result files are written. What lies in the folder may be anybody's, the results of a stranger's program among
 * it: a link in it is never followed. On Linux each folder is opened from within the one above it, so that no link that
 * is put there meanwhile is followed either; elsewhere each is looked at before it is used.
 */
export class ResultFolder {
  readonly #root: Place;
  readonly #shown: string;

  private constructor(root: Place, shown: string) {
    this.#root = root;
    this.#shown = shown;
  }

  /** The folder itself is the user's own choice, be it a link. Throws `FILE_NOT_WRITTEN`. */
  static async open(path: string): Promise<ResultFolder> {
    try {
      await makeFolder(path);
      return new ResultFolder(await openRoot(await realpath(path)), path);
    } catch (cause) {
      throw notWritten(path, cause);
    }
  }

  /**
   * Writes one file and the folders it is in, and gives its path. It takes its name when it is complete: what stops
   * halfway leaves nothing behind. Throws `RESULT_PATH_UNSAFE`, `RESULT_LINKED` or `FILE_NOT_WRITTEN`.
   */
  async write(path: string, bytes: AsyncIterable<Uint8Array>): Promise<string> {
    const parts = partsBelow(path);
    const shown = join(this.#shown, ...parts);
    const name = parts.at(-1) ?? '';
    const folder = await this.#enter(parts.slice(0, -1), shown);
    const temporary = within(folder, `.bidmesh-${Buffer.from(systemRandom.bytes(8)).toString('hex')}`);
    try {
      await refuseWhatStandsThere(within(folder, name), shown);
      const file = await open(temporary, NEW_FILE);
      try {
        for await (const chunk of bytes) await file.writeFile(chunk);
      } finally {
        await file.close();
      }
      await rename(temporary, within(folder, name));
    } catch (cause) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw notWritten(shown, cause);
    } finally {
      if (folder !== this.#root) await folder.handle?.close();
    }
    return shown;
  }

  async close(): Promise<void> {
    await this.#root.handle?.close();
  }

  async #enter(parts: readonly string[], shown: string): Promise<Place> {
    let place = this.#root;
    for (const part of parts) {
      const path = within(place, part);
      try {
        await mkdir(path).catch((error: unknown) => {
          if (codeOf(error) !== 'EEXIST') throw error;
        });
        if ((await lstat(path)).isSymbolicLink()) throw linked(shown, part);
        const next = await openFolder(path, place.handle !== undefined);
        if (place !== this.#root) await place.handle?.close();
        place = next;
      } catch (cause) {
        if (place !== this.#root) await place.handle?.close();
        throw notWritten(shown, cause);
      }
    }
    return place;
  }
}

/** Node's own recursive way does not come back where the system says of a folder that is there that it is not: /proc. */
async function makeFolder(path: string): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory() === true) return;
  if (dirname(path) !== path) await makeFolder(dirname(path));
  await mkdir(path).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
}

async function openRoot(path: string): Promise<Place> {
  const handle = process.platform === 'linux' ? await open(path, FOLDER) : undefined;
  if (handle === undefined) return { handle, path };
  // Without /proc, as in some containers, paths have to do.
  if ((await realpath(`${OPEN_FOLDERS}/${handle.fd}`).catch(() => '')) === path) return { handle, path };
  await handle.close();
  return { handle: undefined, path };
}

async function openFolder(path: string, byHandle: boolean): Promise<Place> {
  if (byHandle) return { handle: await open(path, FOLDER | NO_LINK), path };
  if ((await lstat(path)).isDirectory()) return { handle: undefined, path };
  throw Object.assign(new Error('a file of that name is in the way'), { code: 'ENOTDIR' });
}

function within({ handle, path }: Place, name: string): string {
  return handle === undefined ? join(path, name) : `${OPEN_FOLDERS}/${handle.fd}/${name}`;
}

async function refuseWhatStandsThere(path: string, shown: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSymbolicLink() === true) throw linked(shown, shown);
}

function linked(shown: string, link: string): CodedError {
  return new CodedError(
    'RESULT_LINKED',
    `${shown} is not written: ${link === shown ? 'it' : JSON.stringify(link)} is a link there, and links are not followed. Remove it, or give another folder.`,
  );
}

function notWritten(shown: string, cause: unknown): unknown {
  if (cause instanceof CodedError || codeOf(cause) === undefined) return cause;
  return new CodedError('FILE_NOT_WRITTEN', `${shown} cannot be written: ${systemReason(cause)}.`, { cause });
}

/** Without the path in it, which is one of this program's own making. */
function systemReason(error: unknown): string {
  const errno = error instanceof Error && 'errno' in error ? error.errno : undefined;
  return typeof errno === 'number' ? getSystemErrorMessage(errno) : messageOf(error);
}
