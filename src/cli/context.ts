import type { Command } from 'commander';
import { ApiClient, DEFAULT_API, parseApiUrl } from './api-client.ts';
import type { CliEnvironment } from './environment.ts';
import { Output } from './output/output.ts';

/** What one command works with. */
export interface CommandContext {
  readonly environment: CliEnvironment;
  readonly output: Output;
  readonly client: ApiClient;
}

/** Carries out a command; the number is what the process answers with. */
export type Act = (work: (context: CommandContext) => Promise<number>) => Promise<void>;

/** Adds a command to the program. `actOf` gives the frame that every action runs in. */
export type CommandAdder = (program: Command, actOf: (command: Command) => Act) => void;

/** `--api` before BIDMESH_API before the default; the token is the node's own setting. Throws `USAGE`. */
export function contextOf(
  environment: CliEnvironment,
  api: string | undefined,
  json: boolean,
): CommandContext {
  const { env } = environment;
  const address = parseApiUrl(api ?? env['BIDMESH_API'] ?? DEFAULT_API);
  return {
    environment,
    output: new Output(environment, json),
    client: new ApiClient(address, env['BIDMESH__API__TOKEN']),
  };
}
