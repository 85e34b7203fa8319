import { percentile, round } from '../bench/figure.ts';
import type { StallReading } from '../bench/stall-watch.ts';
import type { Measured, Pace, Phase } from './measure.ts';

/** One measured value of one attack, as `npm run attack -- NAME --json` prints it. */
export interface AttackFigure {
  readonly attack: string;
  readonly metric:
    | 'honest_p50_ratio'
    | 'honest_p99_ratio'
    | 'memory_growth'
    | 'longest_stall'
    | 'recovered'
    | 'wrongly_taken';
  readonly value: number;
  readonly unit: string;
  readonly bound: number;
  readonly ok: boolean;
  readonly [label: string]: string | number | boolean;
}

export interface Bounds {
  readonly p50Ratio: number;
  readonly p99Ratio: number;
  readonly memoryMb: number;
  readonly stallMs: number;
  readonly recoveredMs: number;
  /** A job that is slower by less than this is not slower: two processors that others use too are no better clock. */
  readonly noiseMs: number;
}

export const BOUNDS: Bounds = {
  p50Ratio: 2,
  p99Ratio: 3,
  memoryMb: 100,
  stallMs: 100,
  recoveredMs: 10_000,
  noiseMs: 60,
};

/** What was measured against what it may come to. */
export function figuresOf(measured: Measured, pace: Pace, bounds: Bounds = BOUNDS): AttackFigure[] {
  return [
    ratioOf(measured, 'honest_p50_ratio', 0.5, bounds.p50Ratio, bounds.noiseMs),
    ratioOf(measured, 'honest_p99_ratio', 0.99, bounds.p99Ratio, bounds.noiseMs),
    memoryOf(measured, bounds.memoryMb),
    stallOf(measured, bounds.stallMs),
    recoveryOf(measured, 'attack', measured.recoveredMs, pace, bounds.recoveredMs),
    recoveryOf(measured, 'restart', measured.recoveredAfterRestartMs, pace, bounds.recoveredMs),
    ...wronglyTaken(measured),
  ];
}

function wronglyTaken({ attack, counts }: Measured): AttackFigure[] {
  if (attack.never === undefined) return [];
  const value = counts[attack.never] ?? 0;
  return [{ attack: attack.name, metric: 'wrongly_taken', value, unit: '', bound: 0, ok: value === 0 }];
}

function ratioOf(
  { attack, before, during, again }: Measured,
  metric: 'honest_p50_ratio' | 'honest_p99_ratio',
  share: number,
  bound: number,
  noiseMs: number,
): AttackFigure {
  const quietMs = timeOf(again === undefined ? [before] : [before, again], share);
  const attackedMs = timeOf([during], share);
  const ratio = attackedMs / quietMs;
  return {
    attack: attack.name,
    metric,
    value: round(ratio),
    unit: '',
    bound,
    ok: ratio <= bound || attackedMs - quietMs <= noiseMs,
    quietMs: round(quietMs, 0),
    attackedMs: round(attackedMs, 0),
    jobs: during.jobs.length,
    undone: during.jobs.filter(({ completed }) => !completed).length,
  };
}

function timeOf(phases: readonly Phase[], share: number): number {
  const times = phases.flatMap(({ jobs }) => jobs.map(({ tookMs }) => tookMs));
  return percentile(times, share);
}

/** Of the node that grew more. */
function memoryOf({ attack, before, during, after, restBytes }: Measured, bound: number): AttackFigure {
  const nodes = before.readings.map((quiet, at) => {
    const peaks = [during, after].map(({ readings }) => readings[at]?.peakRssBytes ?? Number.NaN);
    return {
      quietMb: quiet.peakRssBytes / 1e6,
      growthMb: (Math.max(...peaks) - quiet.peakRssBytes) / 1e6,
      afterMb: ((restBytes[at] ?? Number.NaN) - quiet.peakRssBytes) / 1e6,
    };
  });
  const worst = nodes.toSorted((a, b) => b.growthMb - a.growthMb)[0];
  const growthMb = worst?.growthMb ?? Number.NaN;
  return {
    attack: attack.name,
    metric: 'memory_growth',
    value: round(growthMb, 0),
    unit: 'MB',
    bound,
    ok: growthMb <= bound,
    quietMb: round(worst?.quietMb ?? Number.NaN, 0),
    stillMb: round(worst?.afterMb ?? Number.NaN, 0),
  };
}

/**
 * In the processor's time of the main thread, which does not depend on what else the machine does; beside it by the
 * clock, and both as they are without an attack.
 */
function stallOf({ attack, before, during, after }: Measured, bound: number): AttackFigure {
  const longest = (phases: readonly Phase[], pick: (reading: StallReading) => number): number =>
    Math.max(...phases.flatMap(({ readings }) => readings.map(pick)));
  const byCpu = ({ longestCpuMs }: StallReading): number => longestCpuMs;
  const byClock = ({ longestMs }: StallReading): number => longestMs;
  const stallMs = longest([during, after], byCpu);
  return {
    attack: attack.name,
    metric: 'longest_stall',
    value: round(stallMs, 0),
    unit: 'ms',
    bound,
    ok: stallMs <= bound,
    byClockMs: round(longest([during, after], byClock), 0),
    quietMs: round(longest([before], byCpu), 0),
    quietByClockMs: round(longest([before], byClock), 0),
  };
}

function recoveryOf(
  { attack }: Measured,
  after: 'attack' | 'restart',
  tookMs: number | undefined,
  { longestRecoveryMs }: Pace,
  bound: number,
): AttackFigure {
  return {
    attack: attack.name,
    metric: 'recovered',
    value: round(tookMs ?? longestRecoveryMs, 0),
    unit: 'ms',
    bound,
    ok: tookMs !== undefined && tookMs <= bound,
    after,
  };
}
