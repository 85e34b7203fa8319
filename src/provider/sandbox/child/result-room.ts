import { FOLDER_ENTRY_BYTES, MAX_FOLDER_BYTES, MAX_PATH_BYTES } from '../../../domain/program/path-bounds.ts';

/** Says which of the files that a program left find no room in its result: their paths make it up. */
export class ResultRoom {
  /** Paths of folders, with what their entries take. */
  readonly #folders = new Map<string, number>();
  readonly #known = new Set<string>();

  /** Takes a file in; why it has no room, as a sentence, where it has none. */
  refuse(path: string): string | undefined {
    if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
      return `The program left a file whose path is longer than ${MAX_PATH_BYTES} bytes.`;
    }
    for (let end = path.length; end > 0; ) {
      const entry = path.slice(0, end);
      if (this.#known.has(entry)) return undefined;
      end = entry.lastIndexOf('/');
      const folder = end < 0 ? '' : entry.slice(0, end);
      const nameBytes = Buffer.byteLength(entry.slice(end + 1));
      const bytes = (this.#folders.get(folder) ?? 0) + nameBytes + FOLDER_ENTRY_BYTES;
      if (bytes > MAX_FOLDER_BYTES)
        return 'The program left more names in one folder than a result can hold.';
      this.#folders.set(folder, bytes);
      this.#known.add(entry);
    }
    return undefined;
  }
}
