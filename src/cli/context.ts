import type { Command } from 'commander';
import type { BidmeshClient } from '../client/index.ts';
import { nodeClient } from './node-client.ts';
import type { CliEnvironment } from './environment.ts';
import { Output } from './output/output.ts';
import { checkedToken, DEFAULT_API, parseApiUrl } from './request-failure.ts';

/** What one command works with. */
export interface CommandContext {
  readonly environment: CliEnvironment;
  readonly output: Output;
  readonly client: BidmeshClient;
}

/** Carries out a command; the number is what the process answers with. */
export type Act = (work: (context: CommandContext) => Promise<number>) => Promise<void>;

/** Adds a command to the program. `actOf` gives the frame that every action runs in. */
export type CommandAdder = (program: Command, actOf: (command: Command) => Act) => void;

/** `--api` before BIDMESH_API before the default; the token is the node's own setting. Its client throws `USAGE`. */
export function contextOf(
  environment: CliEnvironment,
  api: string | undefined,
  json: boolean,
): CommandContext {
  const { env } = environment;
  let client: BidmeshClient | undefined;
  return {
    environment,
    output: new Output(environment, json),
    // Made when it is used: a wrong address is nothing to a command that asks no node.
    get client() {
      client ??= nodeClient(
        parseApiUrl(api ?? (env['BIDMESH_API'] || DEFAULT_API)),
        checkedToken(env['BIDMESH__API__TOKEN']),
        environment.clock,
        env,
      );
      return client;
    },
  };
}
