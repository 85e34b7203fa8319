import { basename, extname } from 'node:path';
import { CodedError } from '../lib/coded-error.ts';
import type { JobDocument } from './job-file.ts';

export interface ProgramFlags {
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly env?: readonly string[];
  readonly cpu?: string;
  readonly memory?: string;
  readonly count?: number;
  readonly name?: string;
}

const ENGINES: Readonly<Record<string, { readonly type: string; readonly parameter: string }>> = {
  '.py': { type: 'python', parameter: 'script' },
  '.wasm': { type: 'wasm', parameter: 'module' },
};

/** True when `file` is a program itself and not a description of a job. */
export function isProgram(file: string): boolean {
  return ENGINES[extname(file).toLowerCase()] !== undefined;
}

/** A job around a program: paths in it are still local, relative to where the flags were typed. */
export function jobAround(file: string, args: readonly string[], flags: ProgramFlags): JobDocument {
  const engine = ENGINES[extname(file).toLowerCase()];
  if (engine === undefined) throw new CodedError('USAGE', `${file} is neither a .py nor a .wasm program.`);
  const resources = {
    ...(flags.cpu === undefined ? {} : { cpu: flags.cpu }),
    ...(flags.memory === undefined ? {} : { memory: flags.memory }),
  };
  return {
    name: flags.name ?? nameOf(file),
    ...(flags.count === undefined ? {} : { count: flags.count }),
    engine: {
      type: engine.type,
      params: { [engine.parameter]: file, args, env: Object.fromEntries((flags.env ?? []).map(variable)) },
    },
    resources,
    inputs: (flags.input ?? []).map((text) => {
      const [source, target] = split(text, text.lastIndexOf(':'), '--input SOURCE:TARGET');
      return { target, source };
    }),
    outputs: (flags.output ?? []).map((text) => {
      const [name, path] = split(text, text.indexOf(':'), '--output NAME:PATH');
      return { name, path };
    }),
  };
}

function variable(text: string): readonly [string, string] {
  return split(text, text.indexOf('='), '--env NAME=VALUE');
}

function split(text: string, at: number, expected: string): readonly [string, string] {
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new CodedError('USAGE', `${JSON.stringify(text)} is not as in ${expected}.`);
}

/** Names are letters, digits and a few signs; a file may be called anything. */
function nameOf(file: string): string {
  const plain = basename(file, extname(file)).replaceAll(/[^A-Za-z0-9_.-]/g, '-');
  return plain.replace(/^[^A-Za-z0-9]+/, '').slice(0, 64) || 'job';
}
