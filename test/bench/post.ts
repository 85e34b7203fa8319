import { readFile } from 'node:fs/promises';
import { noopModule } from '../fixtures/wasm-modules.ts';
import { type Bench, percentile, round } from './figure.ts';
import { benchNetwork, postJob, uploadBlob } from './nodes.ts';

const IN_FLIGHT = 64;
const MS_PER_TICK = 10;

/** A node without a provider takes posts as fast as it can: each 202 means that the job is on disk. */
export const post: Bench = {
  name: 'post',
  about: 'durable posts per second with 64 in flight; searches are capped, the rest is Queued',
  async run({ iterations = 10_000, report }) {
    const network = benchNetwork();
    try {
      const { process: node } = await network.start('requester', { BIDMESH__PROVIDER__ENABLED: 'false' });
      const cid = await uploadBlob(node.api, noopModule());
      const job = { engine: { type: 'wasm', params: { module: { cid } } }, timeouts: { search: '60s' } };
      await postMany(node.api, job, 500);
      const cpuBefore = await cpuMsOf(node.pid);
      const startedMs = performance.now();
      const latencies = await postMany(node.api, job, iterations);
      const seconds = (performance.now() - startedMs) / 1000;
      const cpuMs = (await cpuMsOf(node.pid)) - cpuBefore;
      report({
        bench: 'post',
        metric: 'durable_posts_per_s',
        value: round(iterations / seconds, 0),
        unit: '1/s',
        inFlight: IN_FLIGHT,
        cpuUsPerPost: round((cpuMs * 1000) / iterations, 0),
      });
      report({
        bench: 'post',
        metric: 'post_p50',
        value: round(percentile(latencies, 0.5)),
        unit: 'ms',
        inFlight: IN_FLIGHT,
      });
      report({
        bench: 'post',
        metric: 'post_p99',
        value: round(percentile(latencies, 0.99)),
        unit: 'ms',
        inFlight: IN_FLIGHT,
      });
    } finally {
      await network.stop();
    }
  },
};

/** The processor time of a process, all its threads, where the system tells (Linux). */
async function cpuMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

async function postMany(api: string, job: unknown, count: number): Promise<number[]> {
  const latencies: number[] = [];
  let next = 0;
  const loop = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      const startedMs = performance.now();
      await postJob(api, job);
      latencies.push(performance.now() - startedMs);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, loop));
  return latencies;
}
