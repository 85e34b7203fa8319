import type { Decline, Refusal } from '../../domain/market/bid.ts';
import type { CapabilityComparison } from '../../domain/matching/comparison.ts';
import type { Evidence, Notary } from '../../domain/market/evidence.ts';
import { nearestMiss } from '../../domain/matching/matching.ts';
import type { Asked } from '../ports.ts';

/** A signed no. */
export function signDecline(
  notary: Notary,
  { requestId, jobId }: Asked,
  stage: Decline['stage'],
  refusal: Refusal,
): Evidence<Decline> {
  const { code, message, field, required, available, retryable, retryAfterMs } = refusal;
  return notary.sign<Decline>('decline', {
    requestId,
    jobId,
    stage,
    code,
    message,
    ...(field === undefined ? {} : { field }),
    ...(required === undefined ? {} : { required }),
    ...(available === undefined ? {} : { available }),
    retryable,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Fields of amounts and devices; `cpu.arch` and the like are constraints. */
const RESOURCE_FIELD = /^(cpu|memory|disk|gpu(\..+)?)$/;

/** The reason that a comparison comes to: its first hard field that is not met. */
export function refusalOf(comparison: CapabilityComparison, retryable: boolean): Refusal {
  const miss = nearestMiss(comparison);
  if (miss === undefined) {
    const message = 'The requirements do not fit.';
    return { code: 'CONSTRAINT_UNMET', message, field: 'resources', retryable };
  }
  const { field, required, available } = miss;
  const message = `${field}: ${required} asked, ${available} here.`;
  return { code: codeFor(field), message, field, required, available, retryable };
}

function codeFor(field: string): Refusal['code'] {
  if (field.startsWith('engine.') || field.startsWith('runtime.')) return 'ENGINE_UNAVAILABLE';
  return RESOURCE_FIELD.test(field) ? 'INSUFFICIENT_RESOURCES' : 'CONSTRAINT_UNMET';
}
