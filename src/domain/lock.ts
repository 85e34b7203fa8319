import type { Resources } from './resources.ts';

export type LeaseState = 'held' | 'committed' | 'released' | 'expired';

/**
 * Capacity that is set aside on a provider. `version` is a fencing token: whoever names an older one is refused.
 * held -> committed -> released; held -> released | expired; committed -> expired when the work overran its deadline.
 */
export interface Lease {
  readonly lockId: string;
  /** Peer id of the requester. */
  readonly holder: string;
  readonly jobId: string;
  readonly executionId: string;
  readonly resources: Resources;
  readonly version: number;
  /** Wall time of taking; with `ttlMs` it says what remains after a restart. */
  readonly acquiredAt: number;
  readonly ttlMs: number;
  readonly state: LeaseState;
}
