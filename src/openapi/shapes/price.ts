import { z } from 'zod';
import { named } from '../named.ts';

/** Money is decimal text, never a float. */
export const priceShape = named(
  'Price',
  z.object({ amount: z.string(), currency: z.string(), per: z.string() }),
);
