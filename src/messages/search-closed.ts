import { z } from 'zod';
import type { SearchClosed } from '../domain/market/bid.ts';
import { idText } from './field-schemas.ts';
import type { SignedMessage } from './message.ts';

export const searchClosedMessage: SignedMessage<SearchClosed> = {
  type: 'search-closed',
  maxPayloadBytes: 1024,
  schema: z.object({ requestId: idText }),
};
