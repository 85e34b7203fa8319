import type { StdioOptions } from 'node:child_process';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { devNull, platform } from 'node:os';

type Stdio = Extract<StdioOptions, readonly unknown[]>;

const OWN_DESCRIPTORS = '/proc/self/fd';
/** For files that another thread of this process opens while the child is being started. */
const SPARE_DESCRIPTORS = 64;
/** Where the system does not say which descriptors are open. */
const ASSUMED_DESCRIPTORS = 1024;

/**
 * The descriptors of a child that gets `own` and nothing else of this process. Files that native code opened, as the
 * store's are, are inherited on Linux, and nothing here can mark them to be closed; so in the child each number that
 * may be one of them stands for `filler`. Other systems pass on nothing that is not named. The number on which the
 * start itself would report its failure is among them: such a child ends with code 127.
 */
export function onlyOwn(own: Stdio, filler: number): Stdio {
  const last = Math.max(0, ...openDescriptors()) + SPARE_DESCRIPTORS;
  return platform() === 'linux' ? filled(own, last, () => filler) : own;
}

/**
 * The same for a tool of this machine, which has nothing of its own to stand in. It fills only what is open now, so
 * that a tool that cannot be started is told from one that fails.
 */
export function startTool<T>(own: Stdio, start: (stdio: Stdio) => T): T {
  if (platform() !== 'linux') return start(own);
  const open = new Set(openDescriptors());
  const filler = openSync(devNull, 'r');
  try {
    return start(filled(own, Math.max(0, ...open), (fd) => (open.has(fd) ? filler : 'ignore')));
  } finally {
    closeSync(filler);
  }
}

function filled(own: Stdio, last: number, entryAt: (fd: number) => number | 'ignore'): Stdio {
  const length = Math.max(0, last + 1 - own.length);
  return [...own, ...Array.from({ length }, (_, index) => entryAt(own.length + index))];
}

function openDescriptors(): number[] {
  try {
    return readdirSync(OWN_DESCRIPTORS).map(Number);
  } catch {
    return Array.from({ length: ASSUMED_DESCRIPTORS }, (_, fd) => fd);
  }
}
