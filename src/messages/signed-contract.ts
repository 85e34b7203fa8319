import { z } from 'zod';
import type { SignedContract } from '../domain/market/contract.ts';
import { contractIdOf, openTerms } from './contract-terms.ts';
import { envelopeOf } from './envelope.ts';
import { contentId, signatureBytes } from './field-schemas.ts';
import type { Verifier } from './message.ts';
import { type Read, refuse } from './rejection.ts';

const signedContractBody = z.object({
  contractId: contentId,
  terms: z.unknown(),
  providerSignature: signatureBytes,
});

export function signedContractToWire(contract: SignedContract): unknown {
  const { contractId, terms, providerSignature } = contract;
  return { contractId, terms: envelopeOf(terms), providerSignature };
}

/** The contract, where it has the id of its terms, and both parties that the terms name have signed those bytes. */
export function openSignedContract(verifier: Verifier, body: unknown): Read<SignedContract> {
  const shape = signedContractBody.safeParse(body);
  if (!shape.success) return refuse('MALFORMED', 'not a signed contract');
  const { contractId, providerSignature } = shape.data;
  const terms = openTerms(verifier, shape.data.terms);
  if (!terms.ok) return terms;
  if (contractIdOf(terms.value) !== contractId) return refuse('MALFORMED', 'the id is not that of the terms');
  if (!verifier.isCountersignature(terms.value, terms.value.value.provider, providerSignature)) {
    return refuse('BAD_SIGNATURE', 'countersignature');
  }
  return { ok: true, value: { contractId, terms: terms.value, providerSignature } };
}
