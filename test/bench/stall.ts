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

type Report = Parameters<Bench['run']>[0]['report'];

interface Readings {
  readonly kind: string;
  readonly under: readonly StallReading[];
  readonly beside: readonly StallReading[];
}

/** The worst of the kinds until now. */
interface Worst {
  stallMs: number;
  stallKind: string;
  moreMb: number;
  moreKind: string;
}

/** What strangers can send over HTTP, each to a node of its own: how long nothing else is done, and what it costs in memory. */
export const stall: Bench = {
  name: 'stall',
  about:
    'the longest stall and the peak memory of a node under each hostile body and request, beside an idle one',
  async run({ iterations = 5, report, note }) {
    const folder = await mkdtemp(join(tmpdir(), 'stall-'));
    const idle = await watchedNode(join(folder, 'idle'));
    const worst: Worst = { stallMs: 0, stallKind: '', moreMb: 0, moreKind: '' };
    try {
      for (const [index, kind] of hostileKinds.entries()) {
        const node = await watchedNode(join(folder, `n${index}`));
        try {
          tell(await measure(kind, node, idle, iterations), report, worst);
        } catch (error) {
          note(`${kind.name}: ${String(error)}`);
        } finally {
          await node.stop();
        }
      }
      const { stallMs, stallKind, moreMb, moreKind } = worst;
      report({ bench: 'stall', metric: 'worst_stall', kind: stallKind, value: stallMs, unit: 'ms' });
      report({ bench: 'stall', metric: 'worst_memory', kind: moreKind, value: moreMb, unit: 'MB' });
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
): Promise<Readings> {
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
  return { kind: kind.name, under, beside };
}

function tell({ kind, under, beside }: Readings, report: Report, worst: Worst): void {
  const cpuMs = under.map(({ longestCpuMs }) => longestCpuMs);
  const stallMs = round(percentile(cpuMs, 0.5), 1);
  const byClock = (readings: readonly StallReading[]): number =>
    round(
      percentile(
        readings.map(({ longestMs }) => longestMs),
        0.5,
      ),
      1,
    );
  report({
    bench: 'stall',
    metric: 'longest_stall',
    kind,
    value: stallMs,
    unit: 'ms',
    most: round(Math.max(...cpuMs), 1),
    byClock: byClock(under),
    idleByClock: byClock(beside),
  });
  const peakMb = peakMbOf(under);
  const idleMb = peakMbOf(beside);
  const moreMb = round(peakMb - idleMb, 0);
  report({
    bench: 'stall',
    metric: 'peak_memory',
    kind,
    value: round(peakMb, 0),
    unit: 'MB',
    idle: round(idleMb, 0),
    more: moreMb,
  });
  if (stallMs > worst.stallMs) Object.assign(worst, { stallMs, stallKind: kind });
  if (moreMb > worst.moreMb) Object.assign(worst, { moreMb, moreKind: kind });
}

function peakMbOf(readings: readonly StallReading[]): number {
  return Math.max(...readings.map(({ peakRssBytes }) => peakRssBytes)) / 1e6;
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
