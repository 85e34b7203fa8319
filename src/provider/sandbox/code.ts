import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../lib/clock.ts';
import { runExecutable } from '../processes/tool-runner.ts';

/** What the build makes of `child/`, in the package. */
const BUILT = new URL('child.mjs', import.meta.url);
/** Prints the same, in a checkout. */
const BUNDLER = new URL('../../../build/sandbox-child.ts', import.meta.url);
const BUNDLE_LIMITS = { timeoutMs: 20_000, outputBytes: 8 * 1024 * 1024 };

/**
 * The program that runs inside the child, as one file that imports nothing of this project. A checkout makes it anew
 * for each start of a node, in a process of its own: a child that ran from source would load the compiler, which
 * takes it a tenth of a second and 17 MB.
 */
export async function prepareSandboxCode(clock: Clock, nodePath: string): Promise<string> {
  if (extname(import.meta.url) === '.js') return readFile(BUILT, 'utf8');
  const made = await runExecutable(clock, nodePath, [fileURLToPath(BUNDLER)], {}, BUNDLE_LIMITS);
  if (made.outcome === 'ended' && made.exitCode === 0) return made.stdout;
  const why = made.outcome === 'ended' ? made.stderr.trim() : made.outcome;
  throw new Error(`The sandbox code cannot be prepared. In a checkout run npm ci first. ${why}`);
}
