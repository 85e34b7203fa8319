/** Bounds and times of the evaluation broker. */
export interface BrokerOptions {
  /** Held at once; more are refused with `BROKER_FULL`. */
  readonly maxEvaluations: number;
  /** Of one job, pending and delayed each: beyond it the least urgent one is dropped. */
  readonly maxWaitingPerJob: number;
  /** A delivery that is not settled within it is nacked. */
  readonly visibilityTimeoutMs: number;
  /** After so many deliveries a nack makes a dead letter. */
  readonly maxDeliveries: number;
  /** Wait after the first delivery failed. */
  readonly firstNackDelayMs: number;
  /** Wait after delivery n > 1 failed: (n - 1) times this, up to `longestNackDelayMs`. */
  readonly nackDelayStepMs: number;
  readonly longestNackDelayMs: number;
}

export const defaultBrokerOptions: BrokerOptions = {
  maxEvaluations: 100_000,
  maxWaitingPerJob: 64,
  visibilityTimeoutMs: 60_000,
  maxDeliveries: 10,
  firstNackDelayMs: 5000,
  nackDelayStepMs: 30_000,
  longestNackDelayMs: 5 * 60_000,
};

/** The wait before an evaluation whose delivery number `deliveries` failed is ready again. */
export function nackDelayMs(options: BrokerOptions, deliveries: number): number {
  const delayMs = deliveries <= 1 ? options.firstNackDelayMs : (deliveries - 1) * options.nackDelayStepMs;
  return Math.min(delayMs, options.longestNackDelayMs);
}
