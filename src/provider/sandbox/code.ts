import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../lib/clock.ts';
import { runExecutable } from '../processes/tool-runner.ts';

const STRIP_LIMITS = { timeoutMs: 20_000, outputBytes: 8 * 1024 * 1024 };
/** An import of values; what is only a type leaves nothing behind. */
const RELATIVE_IMPORT = /^(import (?!type\b)[^;']*)'(\.{1,2}\/[^']+)\.ts'/gm;

/** Reads paths from its arguments and prints their plain JavaScript as one JSON list. */
const STRIP = `
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
const texts = process.argv.slice(1).map((path) => stripTypeScriptTypes(readFileSync(path, 'utf8')));
process.stdout.write(JSON.stringify(texts));`;

/** The program that runs inside the child, as files without imports from anywhere else. */
export interface SandboxCode {
  readonly entry: string;
  readonly files: readonly { readonly name: string; readonly text: string }[];
}

/**
 * Makes the child's program once for all attempts. The types are taken out beforehand and in a process of their
 * own: a child that did it itself would start a tenth of a second later, and this process would stand still.
 */
export async function prepareSandboxCode(clock: Clock, nodePath: string): Promise<SandboxCode> {
  const entry = fileURLToPath(new URL('./child/main.ts', import.meta.url));
  const paths = await importedFrom(entry);
  const args = ['--no-warnings', '--input-type=module', '-e', STRIP, ...paths];
  const stripped = await runExecutable(clock, nodePath, args, {}, STRIP_LIMITS);
  if (stripped.outcome !== 'ended' || stripped.exitCode !== 0) {
    const why = stripped.outcome === 'ended' ? stripped.stderr.trim() : stripped.outcome;
    throw new Error(`The sandbox code cannot be prepared: ${why}`);
  }
  const texts: unknown = JSON.parse(stripped.stdout);
  if (!Array.isArray(texts) || texts.length !== paths.length)
    throw new Error('The sandbox code is incomplete.');
  const files = paths.map((path, index) => ({ name: codeName(path), text: flatten(String(texts[index])) }));
  return { entry: codeName(entry), files };
}

/** Writes the code into a new folder `into` and returns the path of its entry. */
export async function writeSandboxCode(code: SandboxCode, into: string): Promise<string> {
  await mkdir(into);
  await Promise.all(code.files.map(({ name, text }) => writeFile(join(into, name), text, { flag: 'wx' })));
  return join(into, code.entry);
}

async function importedFrom(entry: string): Promise<string[]> {
  const found = new Set([entry]);
  for (const path of found) {
    for (const match of (await readFile(path, 'utf8')).matchAll(RELATIVE_IMPORT)) {
      found.add(join(path, '..', `${match[2]}.ts`));
    }
  }
  return [...found];
}

function flatten(text: string): string {
  return text.replace(RELATIVE_IMPORT, (_, before: string, path: string) => `${before}'./${codeName(path)}'`);
}

function codeName(path: string): string {
  return `${basename(path, '.ts')}.mjs`;
}
