import { readFile } from 'node:fs/promises';
import type { BidmeshClient, JobInput } from '../../src/client/index.ts';
import { noopModule } from '../fixtures/wasm-modules.ts';
import { type Bench, type Figure, percentile, round } from './figure.ts';
import { benchClient, benchNetwork } from './nodes.ts';

const IN_FLIGHT = 64;
const MS_PER_TICK = 10;
const WARM_UP = 500;
const SCRIPT_BYTES = 1024;

/** What the next post asks for. */
type NextEngine = () => JobInput['engine'];

/** A node without a provider takes posts as fast as it can: each 202 means that the job and its content are on disk. */
export const post: Bench = {
  name: 'post',
  about: 'durable posts per second with 64 in flight, with a content id and with inline content',
  async run({ iterations = 10_000, report }) {
    const byId = async (client: BidmeshClient): Promise<NextEngine> => {
      const { cid } = await client.uploadBlob(noopModule());
      const module = { cid };
      return () => ({ type: 'wasm', params: { module } });
    };
    const inline = async (): Promise<NextEngine> => {
      let posted = 0;
      return () => ({ type: 'python', params: { script: { text: scriptOf((posted += 1)) } } });
    };
    for (const figure of await measure('content id', byId, iterations)) report(figure);
    for (const figure of await measure('inline content', inline, iterations)) report(figure);
  },
};

/** No two are alike, as with programs that people write. */
function scriptOf(number: number): string {
  return `print(${number})\n`.padEnd(SCRIPT_BYTES, '#');
}

/** Searches are capped, the rest is Queued. */
async function measure(
  kind: string,
  begin: (client: BidmeshClient) => Promise<NextEngine>,
  iterations: number,
): Promise<readonly Figure[]> {
  const network = benchNetwork();
  try {
    const { process: node } = await network.start('requester', { BIDMESH__PROVIDER__ENABLED: 'false' });
    const client = benchClient(node.api);
    const next = await begin(client);
    await postMany(client, next, WARM_UP);
    const cpuBefore = await cpuMsOf(node.pid);
    const startedMs = performance.now();
    const latencies = await postMany(client, next, iterations);
    const seconds = (performance.now() - startedMs) / 1000;
    const cpuMs = (await cpuMsOf(node.pid)) - cpuBefore;
    const labels = { bench: 'post', kind, inFlight: IN_FLIGHT };
    return [
      {
        ...labels,
        metric: 'durable_posts_per_s',
        value: round(iterations / seconds, 0),
        unit: '1/s',
        cpuUsPerPost: round((cpuMs * 1000) / iterations, 0),
      },
      { ...labels, metric: 'post_p50', value: round(percentile(latencies, 0.5)), unit: 'ms' },
      { ...labels, metric: 'post_p99', value: round(percentile(latencies, 0.99)), unit: 'ms' },
    ];
  } finally {
    await network.stop();
  }
}

/** The processor time of a process, all its threads, where the system tells (Linux). */
async function cpuMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

async function postMany(client: BidmeshClient, next: NextEngine, count: number): Promise<number[]> {
  const latencies: number[] = [];
  let begun = 0;
  const loop = async (): Promise<void> => {
    while (begun < count) {
      begun += 1;
      const job = { engine: next(), timeouts: { search: '60s' } };
      const startedMs = performance.now();
      await client.postJob(job);
      latencies.push(performance.now() - startedMs);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, loop));
  return latencies;
}
