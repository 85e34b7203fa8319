import type { Decline, Refusal } from '../../domain/market/bid.ts';
import type { CapabilityComparison } from '../../domain/matching/comparison.ts';
import type { RefusalReason } from '../../domain/market/refusal-reason.ts';
import type { Evidence, Notary } from '../../domain/market/evidence.ts';
import { nearestMiss } from '../../domain/matching/matching.ts';
import type { Asked } from '../ports.ts';

export interface DeclineNeeds {
  readonly notary: Notary;
  /** How a requester is told: words are for people, code and fields for its node. */
  readonly refusalSentence: (why: RefusalReason) => string;
}

/** A signed no. */
export function signDecline(
  { notary, refusalSentence }: DeclineNeeds,
  { requestId, jobId }: Asked,
  stage: Decline['stage'],
  refusal: Refusal,
): Evidence<Decline> {
  const { code, why, field, required, available, retryable, retryAfterMs } = refusal;
  return notary.sign<Decline>('decline', {
    requestId,
    jobId,
    stage,
    code,
    message: refusalSentence(why),
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
    const why = { code: 'does-not-fit', data: {} } as const;
    return { code: 'CONSTRAINT_UNMET', why, field: 'resources', retryable };
  }
  const { field, required, available } = miss;
  const why = { code: 'field-not-met', data: { field, required, available } } as const;
  return { code: codeFor(field), why, field, required, available, retryable };
}

function codeFor(field: string): Refusal['code'] {
  if (field.startsWith('engine.') || field.startsWith('runtime.')) return 'ENGINE_UNAVAILABLE';
  return RESOURCE_FIELD.test(field) ? 'INSUFFICIENT_RESOURCES' : 'CONSTRAINT_UNMET';
}
