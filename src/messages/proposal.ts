import { z } from 'zod';
import type { Proposal } from '../domain/market/contract.ts';
import { openTerms } from './contract-terms.ts';
import { envelopeOf } from './envelope.ts';
import { invocationDigestOf, invocationSchema } from './invocation.ts';
import type { Verifier } from './message.ts';
import { type Read, refuse } from './rejection.ts';
import { refuseValue } from './unknown-value.ts';

const proposalBody = z.object({ terms: z.unknown(), invocation: z.unknown() });

export function proposalToWire(proposal: Proposal): unknown {
  return { terms: envelopeOf(proposal.terms), invocation: proposal.invocation };
}

/** A proposal made by `requester` to `provider`, with the very invocation that its terms name. */
export function openProposal(
  verifier: Verifier,
  body: unknown,
  requester: string,
  provider: string,
): Read<Proposal> {
  const shape = proposalBody.safeParse(body);
  if (!shape.success) return refuse('MALFORMED', 'not a proposal');
  const terms = openTerms(verifier, shape.data.terms, requester);
  if (!terms.ok) return terms;
  if (terms.value.value.provider !== provider) return refuse('MALFORMED', 'terms name another provider');
  const invocation = invocationSchema.safeParse(shape.data.invocation);
  // What is run has to be understood to its last key.
  if (!invocation.success) return refuseValue(shape.data.invocation, invocation.error);
  if (terms.value.value.invocationDigest !== invocationDigestOf(invocation.data)) {
    return refuse('MALFORMED', 'the invocation is not the one in the terms');
  }
  return { ok: true, value: { terms: terms.value, invocation: invocation.data } };
}
