import { z } from 'zod';
import type { ContractNever } from '../domain/market/contract.ts';
import { contentId, text } from './field-schemas.ts';
import type { SignedMessage } from './message.ts';

export const contractNeverMessage: SignedMessage<ContractNever> = {
  type: 'contract-never',
  maxPayloadBytes: 4 * 1024,
  schema: z.object({ contractId: contentId, reason: text }),
};
