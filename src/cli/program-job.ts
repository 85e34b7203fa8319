import { basename, extname } from 'node:path';
import { engineNamed, programEngines } from '../engines/registry.ts';
import { CodedError } from '../lib/coded-error.ts';
import type { JobDocument } from './job-file.ts';

/** One group of devices, as a job description has it. */
export type GpuWish = Readonly<Record<string, string | number>>;

type Pair = readonly [string, string];

/** What was typed beside a program, each of it in the form that it has to have. */
export interface ProgramFlags {
  readonly engine?: string;
  readonly input?: readonly Pair[];
  readonly output?: readonly Pair[];
  readonly stdin?: string;
  readonly env?: readonly Pair[];
  readonly cpu?: string;
  readonly memory?: string;
  readonly disk?: string;
  readonly gpu?: readonly GpuWish[];
  readonly count?: number;
  readonly queue?: string;
  readonly timeout?: string;
  readonly budget?: string;
  readonly label?: readonly Pair[];
  readonly provider?: readonly string[];
  readonly push?: boolean;
  readonly name?: string;
}

const FLAGS: readonly (keyof ProgramFlags)[] = [
  ...(['engine', 'input', 'output', 'stdin', 'env', 'cpu', 'memory', 'disk', 'gpu'] as const),
  ...(['count', 'queue', 'timeout', 'budget', 'label', 'provider', 'push', 'name'] as const),
];

/** Throws `USAGE` for what goes with a program only. */
export function refuseProgramFlags(args: readonly string[], flags: ProgramFlags): void {
  const stray = FLAGS.find((flag) => flags[flag] !== undefined);
  if (stray === undefined && args.length === 0) return;
  const what = stray === undefined ? 'Arguments go' : `--${stray} goes`;
  throw new CodedError('USAGE', `${what} with a program (${EXTENSIONS}); a job description says it itself.`);
}

/** What a program's file may end with, as people are told. */
export const EXTENSIONS = programEngines
  .flatMap(({ shortcut }) => shortcut.extensions)
  .toSorted()
  .join(' or ');

/** What runs a file that is a program itself; undefined for the description of a job. */
export function engineOf(file: string): string | undefined {
  const extension = extname(file).toLowerCase();
  return programEngines.find(({ shortcut }) => shortcut.extensions.includes(extension))?.type;
}

/** Where a program, or what it reads, is: a local path, or content that the node has already. */
export type Source = string | { readonly cid: string };

export interface Program {
  readonly engine: string;
  readonly source: Source;
  readonly name: string;
  readonly args: readonly string[];
  readonly stdin?: { readonly cid: string };
  /** Whole peer ids. */
  readonly providers: readonly string[];
}

/** `0.10`, `0.10 USD`, `0.10/hour` or `0.10 USD/hour`. */
export const BUDGET = /^(\d+(?:\.\d+)?)(?:\s*([A-Z]{3,8}))?(?:\s*(?:\/|per)\s*(result|second|minute|hour))?$/;

function budgetOf(text: string): JobDocument {
  const [, maxPrice = text, currency, per] = BUDGET.exec(text) ?? [];
  return given({ maxPrice, currency, per });
}

/** A job around a program: paths in it are still local, relative to where the flags were typed. */
export function jobAround(program: Program, flags: ProgramFlags): JobDocument {
  const { engine, source, name, args, stdin, providers } = program;
  const { count, push, budget } = flags;
  return {
    name: flags.name ?? name,
    ...given({ count }),
    engine: {
      type: engine,
      params: {
        [engineNamed(engine)?.shortcut?.param ?? 'program']: source,
        args,
        env: Object.fromEntries(flags.env ?? []),
        ...given({ stdin }),
      },
    },
    resources: given({ cpu: flags.cpu, memory: flags.memory, disk: flags.disk, gpus: flags.gpu }),
    inputs: (flags.input ?? []).map(([from, target]) => ({ target, source: from })),
    outputs: (flags.output ?? []).map(([to, path]) => ({ name: to, path })),
    ...given({
      timeouts:
        (flags.queue ?? flags.timeout) ? given({ queue: flags.queue, execution: flags.timeout }) : undefined,
      budget: budget === undefined ? undefined : budgetOf(budget),
      labels: flags.label === undefined ? undefined : Object.fromEntries(flags.label),
      preferredProviders: providers.length === 0 ? undefined : providers,
      orchestrationType: push === true ? 'push' : undefined,
    }),
  };
}

function given(fields: Readonly<Record<string, unknown>>): JobDocument {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Names are letters, digits and a few signs; a file may be called anything. */
export function nameOf(file: string): string {
  const plain = basename(file, extname(file)).replaceAll(/[^A-Za-z0-9_.-]/g, '-');
  return plain.replace(/^[^A-Za-z0-9]+/, '').slice(0, 64) || 'job';
}

/** The flag that a field of the description came from, by the first words of its path. */
const FLAG_OF: readonly (readonly [path: string, flag: string])[] = [
  ['timeouts.queue', '--queue'],
  ['timeouts.execution', '--timeout'],
  ['budget', '--budget'],
  ['labels', '--label'],
  ['resources.cpu', '--cpu'],
  ['resources.memory', '--memory'],
  ['resources.disk', '--disk'],
  ['resources.gpus', '--gpu'],
  ['preferredProviders', '--provider'],
  ['orchestrationType', '--push'],
  ['count', '--count'],
  ['name', '--name'],
  ['inputs', '--input'],
  ['outputs', '--output'],
  ['engine.params.env', '--env'],
  ['engine.params.stdin', '--stdin'],
  ['engine.params.args', 'the arguments'],
];

/** Where a field at fault was typed. */
export function flagOf(path: string): string | undefined {
  return FLAG_OF.find(([field]) => path === field || path.startsWith(`${field}.`))?.[1];
}
