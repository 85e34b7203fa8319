import { jobPath } from '../api-client.ts';
import type { CommandAdder, CommandContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';

export const addLogsCommand: CommandAdder = (job, actOf) => {
  const logs = job
    .command('logs')
    .description('what the program printed')
    .argument('<id>')
    .option('--follow', 'go on until it ends')
    .option('--stream <stream>', 'stdout or stderr')
    .option('--from <offset>', 'skip so many bytes');
  logs.action((id: string) => actOf(logs)((context) => printLogs(context, id, logs.opts())));
};

async function printLogs(
  { client, output, environment }: CommandContext,
  id: string,
  { follow, stream, from }: { follow?: boolean; stream?: string; from?: string },
): Promise<number> {
  const query = new URLSearchParams({
    ...(follow === undefined ? {} : { follow: String(follow) }),
    ...(stream === undefined ? {} : { stream }),
    ...(from === undefined ? {} : { from }),
  });
  const interrupted = new AbortController();
  const forget = environment.onStop(() => interrupted.abort());
  try {
    const { body } = await client.request(jobPath(id, `/logs?${query.toString()}`), {
      signal: interrupted.signal,
    });
    const chunks: ReadableStream<Uint8Array> | null = body;
    for await (const chunk of chunks ?? []) await output.bytes(chunk);
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
  } finally {
    forget();
  }
  return exitCodes.ok;
}
