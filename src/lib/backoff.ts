export interface BackoffOptions {
  readonly firstMs: number;
  readonly longestMs: number;
  readonly factor: number;
}

/** The wait before try number `attempt` (1 = the first repeat), growing by `factor` up to `longestMs`. */
export function backoffMs(options: BackoffOptions, attempt: number): number {
  const exponent = Math.max(0, attempt - 1);
  return Math.min(options.longestMs, options.firstMs * options.factor ** exponent);
}
