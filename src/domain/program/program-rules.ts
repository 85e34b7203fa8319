import { engineNamed } from '../../engines/registry.ts';
import { nulProblem, wellFormedProblem } from './program-text.ts';
import { isBelow, sandboxPathProblem, type SandboxPathBounds } from './sandbox-path.ts';
import type { Env } from './task.ts';

/** A program with what it is given, as a description, an invocation and an attempt all have it. */
export interface ProgramParts {
  readonly engine: string;
  readonly args: readonly string[];
  readonly env: Env;
  /** Text that goes with the program; anything else is content and is brought like an input. */
  readonly stdin: string | object;
  readonly inputs: readonly { readonly target: string }[];
  readonly outputs: readonly { readonly name: string; readonly path: string }[];
}

export interface ProgramBounds extends SandboxPathBounds {
  /** Longer text is content too. */
  readonly stdinLength: number;
  /** Everything together, in UTF-8: it travels in one frame. */
  readonly programBytes: number;
}

/** `path` is that of {@link ProgramParts}; the message says what is wrong with what stands there, and what would do. */
export interface ProgramFault {
  readonly path: readonly [keyof ProgramParts, ...(string | number)[]];
  readonly message: string;
}

/** The program's own folder while it runs: its files are lost with it, and it can always be written to. */
const SCRATCH = '/tmp';
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Why a program could not be run as it stands. The post, the dry run, the provider before it signs, and the sandbox all
 * ask here, so what one of them takes none of the others refuses.
 */
export function programFaults(program: ProgramParts, bounds: ProgramBounds): readonly ProgramFault[] {
  const faults = [...textFaults(program), ...pathFaults(program, bounds), ...nameFaults(program)];
  // What is odd in itself is said first: sums and neighbours follow from it.
  if (faults.length > 0) return faults;
  return [...placeFaults(program), ...sumFaults(program, bounds)];
}

function textFaults({ args, env, stdin }: ProgramParts): readonly ProgramFault[] {
  const faults: ProgramFault[] = [];
  for (const [index, text] of args.entries()) {
    const message = wellFormedProblem(text) ?? nulProblem(text);
    if (message !== undefined) faults.push({ path: ['args', index], message });
  }
  for (const [name, value] of Object.entries(env)) {
    const message = ENV_NAME.test(name)
      ? (wellFormedProblem(value) ?? nulProblem(value))
      : 'is not a name for a variable: expected letters, digits and underscores, and no digit first';
    if (message !== undefined) faults.push({ path: ['env', name], message });
  }
  const message = typeof stdin === 'string' ? wellFormedProblem(stdin) : undefined;
  if (message !== undefined) faults.push({ path: ['stdin'], message });
  return faults;
}

interface Place {
  readonly path: ProgramFault['path'];
  readonly at: string;
  readonly isInput: boolean;
}

function placesOf({ inputs, outputs }: ProgramParts): readonly Place[] {
  return [
    ...inputs.map(
      ({ target }, index): Place => ({
        path: ['inputs', index, 'target'],
        at: target,
        isInput: true,
      }),
    ),
    ...outputs.map(
      ({ path }, index): Place => ({
        path: ['outputs', index, 'path'],
        at: path,
        isInput: false,
      }),
    ),
  ];
}

function pathFaults(program: ProgramParts, bounds: SandboxPathBounds): readonly ProgramFault[] {
  return placesOf(program).flatMap(({ path, at }) => {
    const message = sandboxPathProblem(at, bounds);
    return message === undefined ? [] : [{ path, message }];
  });
}

function nameFaults({ outputs }: ProgramParts): readonly ProgramFault[] {
  const first = new Map<string, number>();
  return outputs.flatMap(({ name }, index): ProgramFault[] => {
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, index);
    return earlier === undefined
      ? []
      : [
          {
            path: ['outputs', index, 'name'],
            message: `names must differ: outputs.${earlier} has it as well`,
          },
        ];
  });
}

/** Where inputs and outputs lie to each other. An input may lie in an output folder; below an input nothing may. */
function placeFaults(program: ProgramParts): readonly ProgramFault[] {
  const places = placesOf(program);
  const firstAt = new Map<string, Place>();
  const faults: ProgramFault[] = [];
  for (const place of places) {
    const message =
      reservedProblem(program.engine, place) ??
      sameProblem(firstAt.get(place.at)) ??
      belowProblem(places.find((other) => other.isInput && isBelow(place.at, other.at)));
    if (!firstAt.has(place.at)) firstAt.set(place.at, place);
    if (message !== undefined) faults.push({ path: place.path, message });
  }
  return faults;
}

function reservedProblem(engine: string, { at, isInput }: Place): string | undefined {
  const folder = engineNamed(engine)?.reserved.find(({ path }) => at === path || isBelow(at, path));
  if (folder !== undefined) {
    return `${folder.path} ${folder.why}: choose another folder, such as /inputs or /outputs`;
  }
  if (isInput && at === SCRATCH) {
    return `${SCRATCH} is the folder that programs keep temporary files in: choose a path below it, or another one`;
  }
  return undefined;
}

function sameProblem(other: Place | undefined): string | undefined {
  return other === undefined
    ? undefined
    : `is the same path as ${other.path.join('.')}: each input and output needs one of its own`;
}

function belowProblem(other: Place | undefined): string | undefined {
  return other === undefined
    ? undefined
    : `is below ${other.path.join('.')}: an input cannot be changed, so nothing else lies in it; place them side by side`;
}

/** In one frame with the terms; more is for inputs, which are brought block by block. */
function sumFaults(program: ProgramParts, bounds: ProgramBounds): readonly ProgramFault[] {
  const { programBytes, stdinLength } = bounds;
  const { stdin } = program;
  const sizes = [
    ['args', bytesOf(program.args)],
    ['env', bytesOf(Object.entries(program.env).flat())],
    ['stdin', typeof stdin === 'string' && stdin.length <= stdinLength ? bytesOf([stdin]) : 0],
    ['inputs', bytesOf(program.inputs.map(({ target }) => target))],
    ['outputs', bytesOf(program.outputs.flatMap(({ name, path }) => [name, path]))],
  ] as const;
  const all = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
  if (all <= programBytes) return [];
  const [largest] = sizes.reduce((most, next) => (next[1] > most[1] ? next : most));
  const message = `arguments, variables, standard input and paths take ${all} bytes together, and may take ${programBytes}: give the larger ones to the program as files, with inputs`;
  return [{ path: [largest], message }];
}

function bytesOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}
