import { z } from 'zod';
import type { ContractTerms } from '../domain/market/contract.ts';
import type { Evidence } from '../domain/market/evidence.ts';
import { contentIdOf } from '../lib/canonical.ts';
import {
  contentId,
  count,
  durationMs,
  idText,
  peerIdText,
  peerRecordBytes,
  price,
  resourceRequirements,
  wallTimeMs,
} from './field-schemas.ts';
import type { SignedMessage, Verifier } from './message.ts';
import { type Read, refuse } from './rejection.ts';

/**
 * The terms are signed bare, so the contract's id is the content id of the signed bytes. Keys that a party does not know
 * bind nobody.
 */
export const contractTermsMessage: SignedMessage<ContractTerms> = {
  type: 'contract-terms',
  maxPayloadBytes: 24 * 1024,
  schema: z.object({
    jobId: idText,
    jobDigest: contentId,
    executionId: idText,
    partition: count,
    attempt: count,
    requester: peerIdText,
    provider: peerIdText,
    bidId: idText,
    lockId: idText,
    lockVersion: count,
    resources: resourceRequirements,
    price,
    time: z.object({ durationMs, startWithinMs: durationMs }),
    invocationDigest: contentId,
    acceptWithinMs: durationMs,
    startWithinMs: durationMs,
    executionTimeoutMs: durationMs,
    orphanAfterMs: durationMs,
    retentionMs: durationMs,
    superseded: z.literal('nothing'),
    maxOutputBytes: count,
    requesterRecord: peerRecordBytes,
    providerRecord: peerRecordBytes,
    proposedAt: wallTimeMs,
  }),
};

export function contractIdOf(terms: Evidence<ContractTerms>): string {
  return contentIdOf(terms.payload);
}

/** Terms that their requester has signed: a third party's signature is refused whatever it says. */
export function openTerms(
  verifier: Verifier,
  envelope: unknown,
  signer?: string,
): Read<Evidence<ContractTerms>> {
  const terms = verifier.open(contractTermsMessage, envelope, signer);
  if (!terms.ok || terms.value.value.requester === terms.value.signer) return terms;
  return refuse('WRONG_SIGNER', `terms name ${terms.value.value.requester} as requester`);
}
