import type { Command } from 'commander';
import { type Layer, loadConfig, nodeOptionsOf } from '../../config/index.ts';
import type { CodedError } from '../../lib/coded-error.ts';
import type { CommandAdder, CommandContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';

interface StartFlags {
  readonly dataDir?: string;
  readonly api?: string;
  readonly listen?: readonly string[];
  readonly announce?: readonly string[];
  readonly bootstrap?: readonly string[];
  readonly network?: string;
  readonly mdns: boolean;
  readonly config?: string;
}

export const addStartCommand: CommandAdder = (program, actOf) => {
  const command = program
    .command('start')
    .description('run a node; its settings come from flags, BIDMESH__… variables and a file, in this order')
    .option('--data-dir <dir>', 'where the node keeps its keys, jobs and content')
    .option('--api <host:port>', 'where its HTTP interface listens')
    .option('--listen <multiaddr...>', 'where it listens for other nodes')
    .option('--announce <multiaddr...>', 'what it tells others instead')
    .option('--bootstrap <multiaddr...>', 'nodes to connect to')
    .option('--network <name>', 'nodes meet only nodes of the same network')
    .option('--no-mdns', 'do not look for nodes on the local network')
    .option('--config <file>', 'the settings file, in place of config.yaml in the data directory');
  command.action(() => actOf(command)((context) => start(context, flagsOf(command))));
};

function flagsOf(command: Command): StartFlags {
  return command.optsWithGlobals<StartFlags>();
}

/** The settings that were typed, each with the flag it came from. */
function layersOf(flags: StartFlags): readonly Layer[] {
  const typed: readonly (readonly [flag: string, path: readonly string[], value: unknown])[] = [
    ['--data-dir', ['dataDir'], flags.dataDir],
    ['--api', ['api', 'listen'], flags.api],
    ['--listen', ['p2p', 'listen'], flags.listen],
    ['--announce', ['p2p', 'announce'], flags.announce],
    ['--bootstrap', ['p2p', 'bootstrap'], flags.bootstrap],
    ['--network', ['network'], flags.network],
    ['--no-mdns', ['p2p', 'mdns'], flags.mdns ? undefined : false],
  ];
  return typed
    .filter(([, , value]) => value !== undefined)
    .map(([flag, path, value]) => ({ source: `flag ${flag}`, path, value }));
}

async function start({ environment, output }: CommandContext, flags: StartFlags): Promise<number> {
  const { home, cwd, env } = environment;
  const stop = whenAskedToStop(environment);
  try {
    const { config, created } = await loadConfig({
      home,
      cwd,
      env,
      flags: layersOf(flags),
      ...(flags.config === undefined ? {} : { configFile: flags.config }),
      writeMissingFile: true,
    });
    if (created !== undefined) await output.note(`Settings are in ${created}.`);
    const node = await environment.startNode(nodeOptionsOf(config), stop.fail);
    try {
      const ready = { api: node.apiUrl, peerId: node.peerId, multiaddrs: node.multiaddrs() };
      await output.result(
        ready,
        () => `Bidmesh node ${ready.peerId} is ready on network ${config.network}: ${ready.api}`,
      );
      await stop.asked;
    } finally {
      await node.stop();
    }
    return exitCodes.ok;
  } finally {
    stop.forget();
  }
}

interface Stop {
  /** Resolves when somebody asks the node to end, rejects when it cannot go on. */
  readonly asked: Promise<void>;
  readonly fail: (error: CodedError) => void;
  readonly forget: () => void;
}

/** Asked from before the start, so that a request to end that comes early is not lost. */
function whenAskedToStop(environment: CommandContext['environment']): Stop {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => {});
  return { asked: promise, fail: reject, forget: environment.onStop(resolve) };
}
