import { Command, CommanderError } from 'commander';
import packageFile from '../../package.json' with { type: 'json' };
import { CodedError, codeOf, messageOf } from '../lib/coded-error.ts';
import { type Act, type CommandAdder, type CommandContext, contextOf } from './context.ts';
import type { CliEnvironment } from './environment.ts';
import { exitCodes } from './exit-codes.ts';
import { QUERY_REFUSED } from './node-client.ts';
import { Output, READER_LEFT } from './output/output.ts';

/** Every command of the program, in the order of its help; a node does without the others, as it would keep them. */
async function commandsFor(argv: readonly string[]): Promise<readonly CommandAdder[]> {
  const { addStartCommand } = await import('./commands/start.ts');
  if (argv[0] === 'start') return [addStartCommand];
  const [{ addDemoCommand }, { addJobCommands }, { addNodeCommands }] = await Promise.all([
    import('./commands/demo.ts'),
    import('./commands/job.ts'),
    import('./commands/node-info.ts'),
  ]);
  return [addStartCommand, addDemoCommand, addJobCommands, addNodeCommands];
}

/** Refusals of what was typed, whoever noticed. */
const WRONG_USAGE: ReadonlySet<string | undefined> = new Set(['USAGE', QUERY_REFUSED]);

interface GlobalFlags {
  readonly api?: string;
  readonly json?: boolean;
}

/** Carries out one command line and says what the process shall answer with. Never rejects. */
export async function runCli(environment: CliEnvironment): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const actOf =
    (command: Command): Act =>
    async (work) => {
      exitCode = await carryOut(environment, command, work);
    };
  const json = wantsJson(environment.argv);
  const output = new Output(environment, json);
  const written: Promise<void>[] = [];
  const program = createProgram(output, written);
  for (const add of await commandsFor(environment.argv)) add(program, actOf);
  quietly(program);
  try {
    await program.parseAsync([...environment.argv], { from: 'user' });
  } catch (error) {
    exitCode = await refuse(environment, json, error);
  }
  const outcomes = await Promise.allSettled(written);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  return failed === undefined ? exitCode : failureOf(output, failed.reason);
}

async function failureOf(output: Output, error: unknown): Promise<number> {
  // Whoever reads no further, as `head` does, has all that was asked for.
  if (codeOf(error) === READER_LEFT) return exitCodes.ok;
  await output.failure(error);
  return WRONG_USAGE.has(codeOf(error)) ? exitCodes.usage : exitCodes.failure;
}

/** A command line that was not understood; help and version come this way too. */
async function refuse(environment: CliEnvironment, json: boolean, error: unknown): Promise<number> {
  if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok;
  const usage = error instanceof CommanderError;
  if (json || !usage) {
    const message = withoutPrefix(messageOf(error));
    await new Output(environment, json).failure(usage ? new CodedError('USAGE', message) : error);
  }
  return usage ? exitCodes.usage : exitCodes.failure;
}

/** What Commander puts before its sentences. */
const PREFIX = 'error: ';

function withoutPrefix(sentence: string): string {
  return sentence.startsWith(PREFIX) ? sentence.slice(PREFIX.length) : sentence;
}

function wantsJson(argv: readonly string[]): boolean {
  const dashes = argv.indexOf('--');
  return argv.slice(0, dashes < 0 ? argv.length : dashes).includes('--json');
}

function createProgram(output: Output, written: Promise<void>[]): Command {
  return new Command('bidmesh')
    .description('A peer-to-peer compute marketplace: post jobs to your own node, others run them.')
    .version(packageFile.version)
    .option(
      '--api <url>',
      'the node to talk to (or BIDMESH_API; http://127.0.0.1:9999 when neither is given)',
    )
    .option('--json', 'machine output only')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('Add --help to see what there is.')
    .configureOutput({
      writeOut: (text) => written.push(output.text(text)),
      writeErr: (text) => written.push(output.raw(text)),
    })
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 a log that broke off, 130 interrupted; "job run" and "job wait" end with the job\'s own.',
    );
}

/** Subcommands do not inherit these settings when they are added first. */
function quietly(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    quietly(child);
  }
}

async function carryOut(
  environment: CliEnvironment,
  command: Command,
  work: (context: CommandContext) => Promise<number>,
): Promise<number> {
  const { api, json = false } = command.optsWithGlobals<GlobalFlags>();
  try {
    const isStart = command.name() === 'start';
    return await work(contextOf(environment, isStart ? undefined : api, json));
  } catch (error) {
    return failureOf(new Output(environment, json), error);
  }
}
