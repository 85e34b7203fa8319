import { runCli } from '../../../src/cli/run.ts';
import type { CliEnvironment } from '../../../src/cli/environment.ts';
import { systemClock } from '../../../src/lib/clock.ts';

function notHere(): never {
  throw new Error('asking for help starts nothing');
}

/** What the command line says when it is asked for help about `command`; undefined where there is none. */
export async function helpOf(command: readonly string[]): Promise<string | undefined> {
  let text = '';
  const stdout = {
    isTTY: false,
    write: async (chunk: string | Uint8Array) => {
      text += String(chunk);
    },
  };
  const environment: CliEnvironment = {
    argv: [...command, '--help'],
    env: {},
    home: '/nowhere',
    cwd: '/nowhere',
    stdin: { isTTY: false, bytes: notHere },
    stdout,
    stderr: { isTTY: false, write: async () => {} },
    clock: systemClock,
    onStop: () => () => {},
    startNode: notHere,
    localNetwork: notHere,
  };
  const exitCode = await runCli(environment);
  const about = /^Usage: bidmesh ?(.*)$/m.exec(text)?.[1] ?? '';
  return exitCode === 0 && command.every((word, index) => about.split(' ')[index] === word)
    ? text
    : undefined;
}

export interface Invocation {
  readonly text: string;
  /** The words before the first argument: `job run`. */
  readonly command: readonly string[];
  readonly flags: readonly string[];
}

/** Commands that take another command behind them. */
const GROUPS = ['job'];

/** The `npx bidmesh …` lines of a text. */
export function invocationsIn(text: string): readonly Invocation[] {
  return [...text.matchAll(/npx bidmesh ([^`\n#]+)/g)].map(([, line = '']) => {
    const words = line.trim().split(/\s+/);
    const [first = '', second = ''] = words;
    return {
      text: `npx bidmesh ${line.trim()}`,
      command: GROUPS.includes(first) ? [first, second] : [first],
      flags: words.filter((word) => word.startsWith('--')).map((word) => word.replace(/=.*$/, '')),
    };
  });
}
