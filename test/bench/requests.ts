import { randomBytes } from 'node:crypto';
import type { BidRequest } from '../../src/domain/market/bid.ts';
import { contentIdOf, encodeCanonical } from '../../src/lib/canonical.ts';

export const GIB = 2 ** 30;

/** What a benchmark asks for: one small WebAssembly job in a place that is named, as a signed request would say it. */
export function requestOf(
  changes: {
    readonly cpuMillis?: number;
    readonly hard?: BidRequest['requirements']['constraints']['hard'];
  } = {},
  requesterRecord: Uint8Array = randomBytes(220),
): BidRequest {
  const id = randomBytes(16).toString('hex');
  const { cpuMillis = 500, hard = [{ key: 'location.country', operator: 'In', values: ['DE', 'FR'] }] } =
    changes;
  return {
    requestId: `request-${id}`,
    jobId: `job-${id}`,
    jobDigest: contentIdOf(encodeCanonical(id)),
    round: 1,
    requirements: {
      resources: { cpuMillis, memoryBytes: GIB / 4, diskBytes: GIB / 4, gpus: [] },
      engine: { type: 'wasm' },
      constraints: { hard, soft: [{ key: 'cpu.cores', operator: 'Gt', values: ['8'], weight: 10 }] },
      executionTimeoutMs: 600_000,
    },
    budget: { amount: '0.10', currency: 'USD', per: 'hour' },
    slots: 1,
    wantedBids: 3,
    windowMs: 5000,
    answerShare: 1,
    answerAlways: true,
    exclude: [],
    requesterRecord,
  };
}
