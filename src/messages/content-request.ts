import { z } from 'zod';
import { contentId, idText } from './field-schemas.ts';

export interface ContentRequest {
  readonly cid: string;
  readonly contractId: string;
}

export const contentRequestSchema: z.ZodType<ContentRequest> = z.object({
  cid: contentId,
  contractId: idText,
});
