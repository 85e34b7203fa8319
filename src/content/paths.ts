import { MAX_NAME_BYTES, MAX_PATH_DEPTH } from '../domain/program/path-bounds.ts';

/** A result puts what a program made below `outputs/NAME`. */
const FOLDERS_ABOVE = 2;

const encoder = new TextEncoder();

/** True for a name that can stand in a folder anywhere and means nothing else to a file system. */
export function isEntryName(name: string): boolean {
  return (
    name !== '' &&
    name !== '.' &&
    name !== '..' &&
    !/[/\0]/.test(name) &&
    name.isWellFormed() &&
    encoder.encode(name).length <= MAX_NAME_BYTES
  );
}

/** The names of a relative path, or undefined when one of them is no entry name or there are too many. */
export function pathNames(path: string): readonly string[] | undefined {
  const names = path.split('/');
  return names.length <= MAX_PATH_DEPTH + FOLDERS_ABOVE && names.every(isEntryName) ? names : undefined;
}
