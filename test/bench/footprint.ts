import { tmpdir } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LocalNetwork } from '../../src/launcher/local-network.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type BareFigures, measureBareNode } from './bare-node.ts';
import { type Bench, percentile, round } from './figure.ts';
import { benchName, residentBytes } from './nodes.ts';

const SETTLE_MS = 5000;

/** A node that has nothing to do: how soon it is ready, and what it holds in memory once it has settled. */
export const footprint: Bench = {
  name: 'footprint',
  about: 'memory of an idle node and its time to ready, beside the bare parts it is built from',
  async run({ iterations = 5, report }) {
    const nodes: BareFigures[] = [];
    const bare: BareFigures[] = [];
    // The first ones write the compiled code that the others find.
    await measureNode(0);
    await measureBareNode(0);
    for (let index = 0; index < iterations; index += 1) {
      nodes.push(await measureNode(SETTLE_MS));
      bare.push(await measureBareNode(SETTLE_MS));
    }
    const beside = (pick: (figures: BareFigures) => number, digits: number) => {
      const value = percentile(nodes.map(pick), 0.5);
      const floor = percentile(bare.map(pick), 0.5);
      return { value: round(value, digits), floor: round(floor, digits), ratio: round(value / floor) };
    };
    const memory = beside(({ rssMb }) => rssMb, 1);
    report({ bench: 'footprint', metric: 'idle_rss', ...memory, unit: 'MB' });
    const time = beside(({ readyMs }) => readyMs, 0);
    report({ bench: 'footprint', metric: 'time_to_ready', ...time, unit: 'ms' });
  },
};

async function measureNode(settleMs: number): Promise<BareFigures> {
  // The entry that people start: as `npx bidmesh start` does.
  const mainPath = fileURLToPath(new URL('../../src/bidmesh.js', import.meta.url));
  const network = new LocalNetwork(
    {
      nodePath: process.execPath,
      mainPath,
      temporaryRoot: tmpdir(),
      env: process.env,
      network: benchName(),
      readyTimeoutMs: 30_000,
    },
    systemClock,
  );
  try {
    const { process: node } = await network.start('idle');
    await wait(settleMs);
    return { readyMs: node.readyAfterMs, rssMb: (await residentBytes(node.pid)) / 1e6 };
  } finally {
    await network.stop();
  }
}
