import { z } from 'zod';
import { named, pageOf } from '../named.ts';

export const contractShape = named(
  'Contract',
  z.object({
    id: z.string(),
    state: z.string(),
    terms: z.record(z.string(), z.unknown()),
    signatures: z.array(z.object({ signer: z.string(), signature: z.base64() })),
  }),
);
export type Contract = z.output<typeof contractShape>;

export const contractPageShape = pageOf('ContractPage', contractShape);
export type ContractPage = z.output<typeof contractPageShape>;
