import { z } from 'zod';
import type { ContractAnswer } from '../domain/market/contract.ts';
import { contractNeverMessage } from './contract-never.ts';
import { envelopeOf } from './envelope.ts';
import { contentId } from './field-schemas.ts';
import type { Frame } from './frame.ts';
import type { Verifier } from './message.ts';
import { type Read, refuse } from './rejection.ts';
import { openSignedContract, signedContractToWire } from './signed-contract.ts';

export interface ContractQuery {
  readonly contractId: string;
}

export const contractQuerySchema: z.ZodType<ContractQuery> = z.object({ contractId: contentId });

export function contractAnswerFrame(answer: ContractAnswer): Frame {
  return answer.kind === 'accepted'
    ? { kind: 'contract-accepted', body: signedContractToWire(answer.contract) }
    : { kind: 'contract-never', body: envelopeOf(answer.never) };
}

/** An answer about `contractId` that `provider` is bound by; anything about another contract is refused. */
export function openContractAnswer(
  verifier: Verifier,
  frame: Frame,
  contractId: string,
  provider: string,
): Read<ContractAnswer> {
  if (frame.kind === 'contract-accepted') {
    const contract = openSignedContract(verifier, frame.body);
    if (!contract.ok) return contract;
    const { terms } = contract.value;
    if (contract.value.contractId !== contractId) return refuse('MALFORMED', 'another contract');
    if (terms.value.provider !== provider) return refuse('WRONG_SIGNER', 'another provider');
    return { ok: true, value: { kind: 'accepted', contract: contract.value } };
  }
  if (frame.kind !== 'contract-never') return refuse('MALFORMED', `unexpected ${frame.kind}`);
  const never = verifier.open(contractNeverMessage, frame.body, provider);
  if (!never.ok) return never;
  if (never.value.value.contractId !== contractId) return refuse('MALFORMED', 'another contract');
  return { ok: true, value: { kind: 'never', never: never.value } };
}
