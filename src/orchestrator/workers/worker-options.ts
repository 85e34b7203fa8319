import type { BackoffOptions } from '../../lib/backoff.ts';
import type { EvaluationType } from '../evaluations/broker-contract.ts';

export interface WorkerOptions {
  /** Job types that this worker evaluates. */
  readonly types: readonly EvaluationType[];
  /** Evaluations in hand at the same time. */
  readonly concurrency: number;
  readonly dequeueTimeoutMs: number;
  /** How often the visibility timeout of work in hand is renewed: well below that timeout. */
  readonly extendEveryMs: number;
  /** Work that takes longer is given up and nacked; it is looked at with every extension. */
  readonly longestWorkMs: number;
  /** How long `stop` lets work in hand finish before it is nacked. */
  readonly stopGraceMs: number;
  /** Between tries when the broker fails. */
  readonly backoff: BackoffOptions;
}

export const defaultWorkerOptions: WorkerOptions = {
  types: ['batch', 'service', 'ops', 'daemon'],
  concurrency: 8,
  dequeueTimeoutMs: 5000,
  extendEveryMs: 20_000,
  longestWorkMs: 5 * 60_000,
  stopGraceMs: 5000,
  backoff: { firstMs: 1000, longestMs: 30_000, factor: 2 },
};
