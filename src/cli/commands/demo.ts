import { fileURLToPath } from 'node:url';
import { type BidmeshClient, bytesOf } from '../../client/index.ts';
import type { LocalNetwork, LocalNode } from '../../launcher/local-network.ts';
import { type Clock, sleep } from '../../lib/clock.ts';
import { CodedError } from '../../lib/coded-error.ts';
import type { CommandAdder, CommandContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { folderOf, readJobFile } from '../job-file.ts';
import { Progress, shortPeer } from '../output/progress.ts';
import { nodeClient } from '../node-client.ts';
import { parseApiUrl } from '../request-failure.ts';
import { uploadFiles } from '../uploads.ts';

const PROVIDER_PRICES = ['0.04', '0.02', '0.03', '0.05'];
const JOB_FILE = fileURLToPath(new URL('../../../config/demo/job.yaml', import.meta.url));
const MEET_TIMEOUT_MS = 15_000;
const MEET_CHECK_MS = 50;
const ENDS: ReadonlySet<string> = new Set(['job.completed', 'job.failed', 'job.stopped']);

export const addDemoCommand: CommandAdder = (program, actOf) => {
  const demo = program
    .command('demo')
    .description('start a requester and four providers on this machine and let one of them run a real job');
  demo.action(() => actOf(demo)(runDemo));
};

async function runDemo(context: CommandContext): Promise<number> {
  const { environment, output } = context;
  const network = await environment.localNetwork();
  let interrupted = false;
  const forget = environment.onStop(() => {
    interrupted = true;
    void network.stop();
  });
  try {
    await output.note('Starting a requester and four providers, each a process of its own …');
    const requester = await network.start('requester', { BIDMESH__PROVIDER__ENABLED: 'false' });
    const providers = await startProviders(network);
    for (const [index, { process }] of providers.entries()) {
      await output.note(
        `  provider ${index + 1}  ${shortPeer(process.peerId)}  asks ${PROVIDER_PRICES[index]} USD an hour`,
      );
    }
    const client = nodeClient(parseApiUrl(requester.process.api), undefined, environment.clock);
    await untilMet(client, environment.clock, providers.length);
    const summary = await runJob(context, client, providers.length);
    await output.result(summary, () => '');
    return summary.state === 'Completed' ? exitCodes.ok : exitCodes.failure;
  } catch (error) {
    if (interrupted) return exitCodes.interrupted;
    throw error;
  } finally {
    forget();
    await network.stop();
  }
}

function startProviders(network: LocalNetwork): Promise<readonly LocalNode[]> {
  return Promise.all(
    PROVIDER_PRICES.map((amount, index) =>
      network.start(`provider-${index + 1}`, { BIDMESH__PROVIDER__PRICE__AMOUNT: amount }),
    ),
  );
}

async function untilMet(client: BidmeshClient, clock: Clock, count: number): Promise<void> {
  const deadlineMs = clock.monotonicMs() + MEET_TIMEOUT_MS;
  for (;;) {
    const { peers } = await client.getStatus();
    if (peers >= count) return;
    if (clock.monotonicMs() > deadlineMs) {
      throw new CodedError(
        'PEERS_MISSING',
        `Only ${peers} of ${count} providers were met in time. Try again on a quieter machine.`,
      );
    }
    await sleep(clock, MEET_CHECK_MS);
  }
}

interface DemoSummary {
  readonly jobId: string;
  readonly state: string;
  readonly provider: string | undefined;
  readonly providers: number;
  readonly bids: number;
  readonly contractId: string | undefined;
  readonly price: { readonly amount: string; readonly currency: string; readonly per: string } | undefined;
  readonly stdout: string;
  readonly postToContractMs: number | undefined;
  readonly postToCompletedMs: number;
}

async function runJob(
  context: CommandContext,
  client: BidmeshClient,
  providers: number,
): Promise<DemoSummary> {
  const { environment, output } = context;
  const { clock } = environment;
  const job = await uploadFiles((await readJobFile(JOB_FILE)).job, folderOf(JOB_FILE), client);
  await output.note('\nPosting a job: a Python script that sums a file of orders by city.');
  const postedAtMs = clock.monotonicMs();
  const { id: jobId } = await client.postJob({ json: JSON.stringify(job) });
  let bids = 0;
  let postToContractMs: number | undefined;
  const progress = new Progress(output, clock);
  for await (const event of client.jobEvents(jobId)) {
    await progress.event(event);
    if (event.type === 'bid.received') bids += 1;
    if (event.type === 'contract.accepted') postToContractMs ??= clock.monotonicMs() - postedAtMs;
    if (ENDS.has(event.type)) break;
  }
  await progress.pause();
  const postToCompletedMs = clock.monotonicMs() - postedAtMs;
  const summary = await summaryOf(client, jobId);
  await show(context, { ...summary, bids, providers });
  return {
    ...summary,
    providers,
    bids,
    postToContractMs: postToContractMs === undefined ? undefined : Math.round(postToContractMs),
    postToCompletedMs: Math.round(postToCompletedMs),
  };
}

async function summaryOf(
  client: BidmeshClient,
  jobId: string,
): Promise<Pick<DemoSummary, 'jobId' | 'state' | 'provider' | 'contractId' | 'price' | 'stdout'>> {
  const { state, executions } = await client.getJob(jobId);
  const { items } = await client.listContracts(jobId);
  const winner = executions.findLast((execution) => execution.observedState === 'Completed');
  const bytes =
    winner === undefined ? new Uint8Array() : await bytesOf(await client.getResultFile(jobId, 'p0/stdout'));
  return {
    jobId,
    state,
    provider: winner?.provider,
    contractId: items.at(-1)?.id,
    price: winner?.price,
    stdout: new TextDecoder().decode(bytes),
  };
}

async function show(
  { output }: CommandContext,
  {
    stdout,
    provider,
    price,
    contractId,
    bids,
    providers,
  }: Omit<DemoSummary, 'postToContractMs' | 'postToCompletedMs'>,
): Promise<void> {
  if (output.json) return;
  await output.bytes(new TextEncoder().encode(`\n${stdout}\n`));
  await output.note(`computed by  ${provider ?? 'nobody'}, out of ${bids} bids from ${providers} providers`);
  if (price !== undefined)
    await output.note(`price        ${price.amount} ${price.currency} per ${price.per}`);
  await output.note(`contract     ${contractId ?? 'none'}`);
}
