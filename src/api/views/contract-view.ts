import type { ContractRecord } from '../../domain/market/contract.ts';
import type { Contract } from '../../openapi/shapes/contract.ts';
import { base64Of, plainJson } from './plain-json.ts';

/** The terms stand as they were signed: times and durations in milliseconds, bytes as base64. */
export function viewContract(record: ContractRecord): Contract {
  const { terms, providerSignature } = record;
  return {
    id: record.contractId,
    state: record.state,
    terms: plainJson(terms.value),
    signatures: [
      { signer: terms.signer, signature: base64Of(terms.signature) },
      ...(providerSignature === undefined
        ? []
        : [{ signer: terms.value.provider, signature: base64Of(providerSignature) }]),
    ],
  };
}
