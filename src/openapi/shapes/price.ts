import { z } from 'zod';
import { named } from '../named.ts';

const linesShape = z.array(
  z.object({
    item: z.string().describe('base, cpu, memory, disk or gpu.'),
    model: z.string().describe('Of the devices.').optional(),
    quantity: z.string().describe('Partitions, cores, GiB, or devices.'),
    rate: z.string(),
    amount: z.string(),
  }),
);

/** Money is decimal text, never a float. */
export const priceShape = named(
  'Price',
  z.object({
    amount: z.string(),
    currency: z.string(),
    per: z.string(),
    lines: linesShape
      .readonly()
      .describe('How the amount came about, where it was computed from a rate card.')
      .optional(),
  }),
);
export type Price = z.output<typeof priceShape>;

const rateCardShape = named(
  'RateCard',
  z.object({
    currency: z.string(),
    base: z.string().describe('For each partition, an hour.').optional(),
    cpuHour: z.string().optional(),
    memoryGiBHour: z.string().optional(),
    diskGiBHour: z.string().optional(),
    gpuHour: z
      .record(z.string(), z.string())
      .readonly()
      .describe("Of a device, by a part of its model's name; default is for all others.")
      .optional(),
  }),
);

/** What a node asks of everybody. */
export const askingShape = named('Asking', z.union([priceShape, rateCardShape]));
export type Asking = z.output<typeof askingShape>;
