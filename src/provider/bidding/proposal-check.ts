import type { Refusal } from '../../domain/market/bid.ts';
import type { RefusalReason } from '../../domain/market/refusal-reason.ts';
import { bare } from '../../domain/units/reason.ts';
import type { ContractTerms, Proposal } from '../../domain/market/contract.ts';
import { bytesAsked, bytesThere, durationTexts } from '../../domain/matching/field-text.ts';
import { jobLimits } from '../../domain/job/job-limits.ts';
import { programFaults } from '../../domain/program/program-rules.ts';
import { contentRefsOf, type Invocation } from '../../domain/program/task.ts';
import { contentIdOf, encodeCanonical, sameBytes } from '../../lib/canonical.ts';
import { defaultProviderLimits, type ProviderLimits } from '../options.ts';
import type { OpenBid } from './open-bids.ts';
import { EXPIRED } from './refusals.ts';

export type TermsLimits = Pick<
  ProviderLimits,
  'longestOrphanAfterMs' | 'longestRetentionMs' | 'maxInputBytes'
>;

const JOB_ID = /^[A-Za-z0-9_-]{1,64}$/;
const REPLICA = /^(0|[1-9]\d{0,8})$/;

/**
 * Whether a proposal is what was bid, for whom it was bid, and asks for no more time than is given. The lock is checked by the caller, who owns it.
 * Undefined means yes.
 */
export function checkProposal(
  proposal: Proposal,
  parties: { readonly requester: string; readonly provider: string },
  open: OpenBid | undefined,
  limits: TermsLimits = defaultProviderLimits,
): Refusal | undefined {
  const { terms, invocation } = proposal;
  const { value } = terms;
  if (terms.signer !== parties.requester || value.requester !== parties.requester) {
    return invalid('terms.requester', bare('not-by-its-signer'));
  }
  if (value.provider !== parties.provider) return invalid('terms.provider', bare('of-another-provider'));
  if (open === undefined) return EXPIRED;
  if (value.jobId !== open.request.jobId || value.jobDigest !== open.request.jobDigest) {
    return invalid('terms.jobId', bare('of-another-job'));
  }
  if (!isExecutionOf(value)) {
    return invalid('terms.executionId', bare('of-another-execution'));
  }
  if (invocation.partition !== value.partition) {
    return invalid('invocation.partition', bare('of-another-partition'));
  }
  if (value.invocationDigest !== contentIdOf(encodeCanonical(invocation))) {
    return invalid('terms.invocationDigest', bare('of-another-invocation'));
  }
  if (!same(value.price, open.bid.price)) return invalid('terms.price', bare('price-not-as-bid'));
  if (!same(value.resources, open.request.requirements.resources)) {
    return invalid('terms.resources', bare('resources-not-as-asked'));
  }
  if (
    value.executionTimeoutMs > open.bid.time.durationMs ||
    value.startWithinMs > open.bid.time.startWithinMs
  ) {
    return invalid('terms.executionTimeoutMs', bare('times-over-bid'));
  }
  if (invocation.engine.type !== open.request.requirements.engine.type) {
    return invalid('invocation.engine', bare('engine-not-as-asked'));
  }
  return (
    faultOf(invocation) ??
    tooMuch(invocation, limits.maxInputBytes) ??
    tooLong('terms.orphanAfterMs', value.orphanAfterMs, limits.longestOrphanAfterMs) ??
    tooLong('terms.retentionMs', value.retentionMs, limits.longestRetentionMs)
  );
}

/** What could not be run is refused before it is signed: a contract that must fail helps nobody. */
function faultOf({ engine, inputs, outputs }: Invocation): Refusal | undefined {
  const { type, args, env, stdin } = engine;
  const [fault] = programFaults({ engine: type, args, env, stdin, inputs, outputs }, jobLimits);
  if (fault === undefined) return undefined;
  const place = fault.path.join('.');
  const isFile = place.startsWith('inputs') || place.startsWith('outputs');
  return {
    code: 'INVALID',
    why: { code: 'program-not-right', data: { place, fault: fault.message } },
    field: `invocation.${isFile ? '' : 'engine.'}${place}`,
    retryable: false,
  };
}

function tooMuch({ engine, inputs }: Invocation, mostBytes: number): Refusal | undefined {
  const bytes = contentRefsOf(engine, inputs).reduce((sum, { size }) => sum + size, 0);
  if (bytes <= mostBytes) return undefined;
  return {
    code: 'POLICY',
    why: { code: 'inputs-too-large', data: {} },
    field: 'invocation.inputs',
    required: bytesAsked(bytes),
    available: bytesThere(mostBytes, bytes),
    retryable: false,
  };
}

/** These are not part of a bid request, so this is the first time that they are seen. */
function tooLong(field: string, askedMs: number, longestMs: number): Refusal | undefined {
  if (askedMs <= longestMs) return undefined;
  return {
    code: 'POLICY',
    why: { code: 'terms-too-long', data: {} },
    field,
    ...durationTexts(askedMs, longestMs),
    retryable: false,
  };
}

/** Execution ids name folders and records here, so they are not free text. */
function isExecutionOf({ executionId, jobId, partition, attempt }: ContractTerms): boolean {
  const [job, version = '', slot = '', ...rest] = executionId.split('.');
  const ofPartition = `p${partition}r`;
  return (
    job === jobId &&
    JOB_ID.test(jobId) &&
    /^v\d{1,9}$/.test(version) &&
    slot.startsWith(ofPartition) &&
    REPLICA.test(slot.slice(ofPartition.length)) &&
    rest.join('.') === `a${attempt}`
  );
}

function invalid(field: string, why: RefusalReason): Refusal {
  return { code: 'INVALID', why, field, retryable: false };
}

function same(a: unknown, b: unknown): boolean {
  return sameBytes(encodeCanonical(a), encodeCanonical(b));
}
