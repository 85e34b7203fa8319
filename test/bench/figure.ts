/** One measured value, as `npm run bench -- NAME --json` prints it. */
export interface Figure {
  readonly bench: string;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  /** The same thing without our logic, from the same run. */
  readonly floor?: number;
  /** value / floor */
  readonly ratio?: number;
  readonly [label: string]: string | number | undefined;
}

export interface BenchContext {
  readonly iterations: number | undefined;
  readonly report: (figure: Figure) => void;
  readonly note: (text: string) => void;
}

export interface Bench {
  readonly name: string;
  readonly about: string;
  run(context: BenchContext): Promise<void>;
}

/** The value below which `share` (0 to 1) of the samples lie. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function round(value: number, digits = 2): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
