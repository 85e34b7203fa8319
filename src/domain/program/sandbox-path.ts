import { nulProblem, wellFormedProblem } from './program-text.ts';

export interface SandboxPathBounds {
  /** Characters. */
  readonly pathLength: number;
  /** Names one below the other. */
  readonly pathDepth: number;
  /** Of one name, in UTF-8. */
  readonly nameBytes: number;
}

/** A path as it is compared: slashes that say nothing are left out. */
export function tidySandboxPath(path: string): string {
  if (!path.startsWith('/')) return path;
  return `/${path
    .split('/')
    .filter((name) => name !== '')
    .join('/')}`;
}

/** Why `path`, tidied, is none that an input or output can have inside the sandbox; undefined where it is one. */
export function sandboxPathProblem(path: string, bounds: SandboxPathBounds): string | undefined {
  if (path.length > bounds.pathLength) return `is longer than ${bounds.pathLength} characters`;
  const odd = wellFormedProblem(path) ?? nulProblem(path);
  if (odd !== undefined) return odd;
  if (!path.startsWith('/')) return 'expected an absolute path, such as /outputs';
  if (path === '/') return 'is the root of everything: expected a path below it, such as /outputs';
  const names = path.slice(1).split('/');
  if (names.includes('')) return 'expected a path without empty names, such as /outputs';
  if (names.includes('.') || names.includes('..')) return 'must not contain . or ..';
  if (names.length > bounds.pathDepth) return `is deeper than ${bounds.pathDepth} names`;
  const long = names.find((name) => Buffer.byteLength(name) > bounds.nameBytes);
  if (long === undefined) return undefined;
  return `has a name of ${Buffer.byteLength(long)} bytes, and a name may have ${bounds.nameBytes} (letters beyond ASCII take 2 to 4 each)`;
}

/** Both are paths as {@link tidySandboxPath} gives them. */
export function isBelow(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}
