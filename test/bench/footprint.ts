import { setTimeout as wait } from 'node:timers/promises';
import { type Bench, percentile, round } from './figure.ts';
import { benchNetwork, residentBytes } from './nodes.ts';

const SETTLE_MS = 5000;

/** A node that has nothing to do: how soon it is ready, and what it holds in memory once it has settled. */
export const footprint: Bench = {
  name: 'footprint',
  about: 'memory of an idle node and its time to ready',
  async run({ iterations = 5, report }) {
    const readyMs: number[] = [];
    const rssMb: number[] = [];
    for (let index = 0; index < iterations; index += 1) {
      const network = benchNetwork();
      try {
        const { process: node } = await network.start('idle');
        readyMs.push(node.readyAfterMs);
        await wait(SETTLE_MS);
        rssMb.push((await residentBytes(node.pid)) / 1e6);
      } finally {
        await network.stop();
      }
    }
    report({ bench: 'footprint', metric: 'idle_rss', value: round(percentile(rssMb, 0.5), 1), unit: 'MB' });
    report({
      bench: 'footprint',
      metric: 'time_to_ready',
      value: round(percentile(readyMs, 0.5), 0),
      unit: 'ms',
    });
  },
};
