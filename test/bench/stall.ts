import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { type Bench, percentile, round } from './figure.ts';
import { benchNetwork } from './nodes.ts';
import { type HostileKind, hostileKinds } from './stall-kinds.ts';
import { type StallReading, WATCH_VARIABLE } from './stall-watch.ts';

const SETTLE_MS = 300;
const WATCH = new URL('./stall-watch.ts', import.meta.url).href;

/** A node of its own, and how it does. */
interface WatchedNode {
  readonly api: URL;
  /** Since it was last asked. */
  readonly reading: () => Promise<StallReading>;
  readonly stop: () => Promise<void>;
}

/** What strangers can send over HTTP, each to a node of its own: how long nothing else is done, and what it costs in memory. */
export const stall: Bench = {
  name: 'stall',
  about:
    'the longest stall and the peak memory of a node under each hostile body and request, beside an idle one',
  async run({ iterations = 5, report, note }) {
    const folder = await mkdtemp(join(tmpdir(), 'stall-'));
    const idle = await watchedNode(join(folder, 'idle'));
    try {
      for (const [index, kind] of hostileKinds.entries()) {
        const node = await watchedNode(join(folder, `n${index}`));
        try {
          await measure(kind, node, idle, iterations, report);
        } catch (error) {
          note(`${kind.name}: ${String(error)}`);
        } finally {
          await node.stop();
        }
      }
    } finally {
      await idle.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function measure(
  kind: HostileKind,
  node: WatchedNode,
  idle: WatchedNode,
  iterations: number,
  report: Parameters<Bench['run']>[0]['report'],
): Promise<void> {
  const under: StallReading[] = [];
  const beside: StallReading[] = [];
  await wait(SETTLE_MS);
  for (let run = 0; run < iterations; run += 1) {
    await Promise.all([node.reading(), idle.reading()]);
    await kind.attack(node.api);
    await wait(SETTLE_MS);
    under.push(await node.reading());
    beside.push(await idle.reading());
  }
  const median = (readings: readonly StallReading[], pick: (reading: StallReading) => number): number =>
    percentile(readings.map(pick), 0.5);
  report({
    bench: 'stall',
    metric: 'longest_stall',
    kind: kind.name,
    value: round(
      median(under, ({ longestMs }) => longestMs),
      1,
    ),
    unit: 'ms',
    idle: round(
      median(beside, ({ longestMs }) => longestMs),
      1,
    ),
    cpu: round(
      median(under, ({ longestCpuMs }) => longestCpuMs),
      1,
    ),
  });
  const peakMb = Math.max(...under.map(({ peakRssBytes }) => peakRssBytes)) / 1e6;
  const idleMb = Math.max(...beside.map(({ peakRssBytes }) => peakRssBytes)) / 1e6;
  report({
    bench: 'stall',
    metric: 'peak_memory',
    kind: kind.name,
    value: round(peakMb, 0),
    unit: 'MB',
    idle: round(idleMb, 0),
    more: round(peakMb - idleMb, 0),
  });
}

async function watchedNode(socketPath: string): Promise<WatchedNode> {
  const network = benchNetwork();
  const { process: node } = await network.start('stall', {
    NODE_OPTIONS: `--import=${WATCH}`,
    [WATCH_VARIABLE]: socketPath,
  });
  return {
    api: new URL(node.api),
    reading: async () => JSON.parse(await text(connect(socketPath))) as StallReading,
    stop: () => network.stop(),
  };
}
