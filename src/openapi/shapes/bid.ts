import { z } from 'zod';
import { named, pageOf } from '../named.ts';
import { priceShape } from './price.ts';
import { whyShape } from './why.ts';

const rankShape = named(
  'Rank',
  z.object({
    name: z.string(),
    value: z.number(),
    weight: z.number(),
    reason: z.string(),
    why: whyShape,
  }),
);

/** Where a bid stands among the others. */
export const rankedBidShape = z.object({
  provider: z.string(),
  score: z.number(),
  ranks: z.array(rankShape),
  price: priceShape,
  locked: z.boolean(),
});

export const bidShape = named(
  'Bid',
  rankedBidShape.extend({
    state: z.enum(['candidate', 'selected', 'declined', 'timed-out', 'failed']),
  }),
);
export type Bid = z.output<typeof bidShape>;

export const bidPageShape = pageOf('BidPage', bidShape);
export type BidPage = z.output<typeof bidPageShape>;
