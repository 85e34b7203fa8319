import { z } from '@hono/zod-openapi';
import type { ContractRecord } from '../../domain/market/contract.ts';
import { base64Of, plainJson } from './plain-json.ts';

export const contractView = z
  .object({
    id: z.string(),
    state: z.string(),
    terms: z.record(z.string(), z.unknown()),
    signatures: z.array(z.object({ signer: z.string(), signature: z.base64() })),
  })
  .openapi('Contract');

/** The terms stand as they were signed: times and durations in milliseconds, bytes as base64. */
export function viewContract(record: ContractRecord): z.infer<typeof contractView> {
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
