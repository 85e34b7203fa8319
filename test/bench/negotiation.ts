import { noopModule } from '../fixtures/wasm-modules.ts';
import { type Bench, percentile, round } from './figure.ts';
import { measureFloor } from './floor.ts';
import { benchClient, benchNetwork } from './nodes.ts';

const PROVIDERS = 4;
const WARM_UP = 30;

/**
 * Four provider processes and a requester on loopback; a no-op WASM job each time. The floor is libp2p as it comes,
 * between as many processes: gossip out, a new stream back, two round trips of the same sizes, no logic and no disk.
 */
export const negotiation: Bench = {
  name: 'negotiation',
  about: 'from POST to a closed contract and to Completed, beside bare libp2p doing the same round trips',
  async run({ iterations = 100, report, note }) {
    note('measuring the floor …');
    const before = await measureFloor({ iterations });
    note('measuring negotiations …');
    const { contract, completed } = await measureNodes(iterations);
    const after = await measureFloor({ iterations });
    const floor = { p50: (before.p50 + after.p50) / 2, p99: (before.p99 + after.p99) / 2 };
    for (const [name, share] of [
      ['p50', 0.5],
      ['p99', 0.99],
    ] as const) {
      const value = percentile(contract, share);
      report({
        bench: 'negotiation',
        metric: `post_to_contract_${name}`,
        value: round(value),
        unit: 'ms',
        floor: round(floor[name]),
        ratio: round(value / floor[name]),
      });
    }
    for (const [name, share] of [
      ['p50', 0.5],
      ['p99', 0.99],
    ] as const) {
      report({
        bench: 'negotiation',
        metric: `post_to_completed_${name}`,
        value: round(percentile(completed, share)),
        unit: 'ms',
      });
    }
  },
};

async function measureNodes(iterations: number): Promise<{ contract: number[]; completed: number[] }> {
  const network = benchNetwork();
  const contract: number[] = [];
  const completed: number[] = [];
  try {
    const requester = await network.start('requester', { BIDMESH__PROVIDER__ENABLED: 'false' });
    for (let index = 1; index <= PROVIDERS; index += 1) await network.start(`provider-${index}`);
    const client = benchClient(requester.process.api);
    const { cid } = await client.uploadBlob(noopModule());
    const job = {
      name: 'noop',
      engine: { type: 'wasm', params: { module: { cid } } },
      resources: { cpu: '100m', memory: '64MiB', disk: '1MiB' },
    };
    for (let index = 0; index < iterations + WARM_UP; index += 1) {
      const startedMs = performance.now();
      let contractMs = Number.NaN;
      const { id } = await client.postJob(job);
      for await (const { type } of client.jobEvents(id)) {
        if (type === 'contract.accepted') contractMs = performance.now() - startedMs;
        if (type === 'job.failed') throw new Error('a benchmark job failed');
        if (type === 'job.completed') break;
      }
      if (index < WARM_UP) continue;
      contract.push(contractMs);
      completed.push(performance.now() - startedMs);
    }
  } finally {
    await network.stop();
  }
  return { contract, completed };
}
