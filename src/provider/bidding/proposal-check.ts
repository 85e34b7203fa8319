import type { Refusal } from '../../domain/market/bid.ts';
import type { ContractTerms, Proposal } from '../../domain/market/contract.ts';
import { bytesAsked, bytesThere, durationTexts } from '../../domain/matching/field-text.ts';
import { jobLimits } from '../../domain/job/job-description.ts';
import { programFaults } from '../../domain/program/program-rules.ts';
import { contentRefsOf, type Invocation } from '../../domain/program/task.ts';
import { contentIdOf, encodeCanonical, sameBytes } from '../../lib/canonical.ts';
import { defaultProviderLimits, type ProviderLimits } from '../options.ts';
import type { OpenBid } from './bid-book.ts';
import { EXPIRED } from './refusals.ts';

export type TermsLimits = Pick<
  ProviderLimits,
  'longestOrphanAfterMs' | 'longestRetentionMs' | 'maxInputBytes'
>;

const JOB_ID = /^[A-Za-z0-9_-]{1,64}$/;

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
    return invalid('terms.requester', 'The proposal was not signed by the peer that sent it.');
  }
  if (value.provider !== parties.provider)
    return invalid('terms.provider', 'The proposal names another provider.');
  if (open === undefined) return EXPIRED;
  if (value.jobId !== open.request.jobId || value.jobDigest !== open.request.jobDigest) {
    return invalid('terms.jobId', 'The proposal is for another job than the bid.');
  }
  if (!isExecutionOf(value)) {
    return invalid('terms.executionId', 'The execution id is not one of this job, partition and attempt.');
  }
  if (invocation.partition !== value.partition) {
    return invalid('invocation.partition', 'The invocation is for another partition than the terms.');
  }
  if (value.invocationDigest !== contentIdOf(encodeCanonical(invocation))) {
    return invalid('terms.invocationDigest', 'The invocation is not the one that the terms name.');
  }
  if (!same(value.price, open.bid.price))
    return invalid('terms.price', 'The price is not the one that was bid.');
  if (!same(value.resources, open.request.requirements.resources)) {
    return invalid('terms.resources', 'The resources are not the ones that were asked for.');
  }
  if (
    value.executionTimeoutMs > open.bid.time.durationMs ||
    value.startWithinMs > open.bid.time.startWithinMs
  ) {
    return invalid('terms.executionTimeoutMs', 'The times are longer than the bid allows.');
  }
  if (invocation.engine.type !== open.request.requirements.engine.type) {
    return invalid('invocation.engine', 'The engine is not the one that was asked for.');
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
  return invalid(`invocation.${isFile ? '' : 'engine.'}${place}`, `${place}: ${fault.message}.`);
}

function tooMuch({ engine, inputs }: Invocation, mostBytes: number): Refusal | undefined {
  const bytes = contentRefsOf(engine, inputs).reduce((sum, { size }) => sum + size, 0);
  if (bytes <= mostBytes) return undefined;
  return {
    code: 'POLICY',
    message: 'The program and its inputs are larger than this node takes.',
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
    message: 'The terms ask for a longer time than this node allows.',
    field,
    ...durationTexts(askedMs, longestMs),
    retryable: false,
  };
}

/** Execution ids name folders and records here, so they are not free text. */
function isExecutionOf({ executionId, jobId, partition, attempt }: ContractTerms): boolean {
  const [job, version, ...place] = executionId.split('.');
  return (
    job === jobId &&
    JOB_ID.test(jobId) &&
    /^v\d{1,9}$/.test(version ?? '') &&
    place.join('.') === `p${partition}.a${attempt}`
  );
}

function invalid(field: string, message: string): Refusal {
  return { code: 'INVALID', message, field, retryable: false };
}

function same(a: unknown, b: unknown): boolean {
  return sameBytes(encodeCanonical(a), encodeCanonical(b));
}
