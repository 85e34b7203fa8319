import { readFile } from 'node:fs/promises';
import { type BenchContext, percentile, round } from './figure.ts';
import type { FloodReport } from './flooder.ts';
import { type HonestReport, PER_SECOND } from './honest-requester.ts';

/** Clock ticks a second in which Linux counts the processor time of a process. */
const TICKS_PER_SECOND = 100;
const UTIME = 13;

export interface Phases {
  readonly quiet: readonly HonestReport[];
  readonly during: HonestReport;
  readonly flooded: FloodReport;
}

/** What `work` comes to, and the share of one processor that a process had meanwhile, where the system tells (Linux). */
export async function withCpu<T>(
  pid: number,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly cpuShare: number }> {
  const beforeSeconds = await cpuSeconds(pid);
  const startedMs = performance.now();
  const result = await work();
  const tookMs = performance.now() - startedMs;
  return { result, cpuShare: ((await cpuSeconds(pid)) - beforeSeconds) / (tookMs / 1000) };
}

async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The second field is a name in brackets, which may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[UTIME - 2]) + Number(fields[UTIME - 1])) / TICKS_PER_SECOND;
}

/** Of the whole flood, and of its first second and the rest alone: in the first second the provider finds out. */
export function reportFlood({ report }: BenchContext, identities: number, phases: Phases): void {
  const { quiet, during, flooded } = phases;
  const floor = quiet.flatMap(({ tookMs }) => tookMs);
  const p99 = percentile(floor, 0.99);
  for (const [name, share] of [
    ['p50', 0.5],
    ['p99', 0.99],
  ] as const) {
    report({
      bench: 'flood',
      metric: `honest_${name}`,
      value: round(percentile(during.tookMs, share)),
      unit: 'ms',
      floor: round(percentile(floor, share)),
      ratio: round(percentile(during.tookMs, share) / percentile(floor, share)),
      identities,
    });
  }
  report({
    bench: 'flood',
    metric: 'honest_p99_ratio',
    value: round(percentile(during.tookMs, 0.99) / p99),
    unit: '',
    identities,
    answeredShare: round(during.answered / during.tookMs.length, 4),
    requests: during.tookMs.length,
    floodRequests: flooded.sent,
    floodPerSecond: round(flooded.perSecond, 0),
    floodBids: flooded.bids,
  });
  for (const [name, tookMs] of [
    ['in_first_second', during.tookMs.slice(0, PER_SECOND)],
    ['after_first_second', during.tookMs.slice(PER_SECOND)],
  ] as const) {
    report({
      bench: 'flood',
      metric: `honest_p99_ratio_${name}`,
      value: round(percentile(tookMs, 0.99) / p99),
      unit: '',
      identities,
      p50Ms: round(percentile(tookMs, 0.5)),
      p99Ms: round(percentile(tookMs, 0.99)),
      requests: tookMs.length,
    });
  }
}

export function reportCpu(
  { report }: BenchContext,
  identities: number,
  { quiet, during }: { readonly quiet: readonly number[]; readonly during: number },
): void {
  const floor = quiet.reduce((sum, share) => sum + share, 0) / quiet.length;
  report({
    bench: 'flood',
    metric: 'provider_cpu_share',
    value: round(during),
    unit: 'cores',
    floor: round(floor),
    ratio: round(during / floor),
    identities,
  });
}

export function reportMemory(
  { report }: BenchContext,
  identities: number,
  before: number,
  after: number,
): void {
  report({
    bench: 'flood',
    metric: 'provider_rss',
    value: round(after / 1e6, 1),
    unit: 'MB',
    floor: round(before / 1e6, 1),
    ratio: round(after / before),
    identities,
  });
}
