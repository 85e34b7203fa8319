import type { ServingItem } from '../../../src/domain/market/serving.ts';
import type { ProviderExecution } from '../../../src/provider/ports.ts';
import { INVOCATION } from '../provider/bidding/bidding-desk.ts';
import { REQUESTER } from './market.ts';

/** An execution as a provider keeps it, not settled yet. */
export function providerExecutionOf(
  item: ServingItem,
  acceptedAt: number,
  changes: Partial<ProviderExecution> = {},
): ProviderExecution {
  return {
    item,
    requester: REQUESTER,
    requesterRecord: Uint8Array.of(1),
    jobId: 'job',
    lockId: 'lock',
    invocation: INVOCATION,
    acceptedAt,
    settled: false,
    ...changes,
  };
}
