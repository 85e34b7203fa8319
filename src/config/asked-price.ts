import { z } from 'zod';
import { decimalAmount, pricePeriods } from '../domain/units/money.ts';
import { type Asking, DEFAULT_MODEL, modelName, modelRates, rateFields } from '../domain/units/rate-card.ts';

const rateNames = ['base', 'cpuHour', 'memoryGiBHour', 'diskGiBHour', 'gpuHour'] as const;

/** An environment variable has it in capitals. */
const anyCaseModel = modelName.transform((name) =>
  name.toLowerCase() === DEFAULT_MODEL ? DEFAULT_MODEL : name,
);

/** `provider.price`: one price for each partition, or a rate card. */
export const askedPrice = z
  .strictObject({
    amount: decimalAmount.exactOptional(),
    currency: z
      .string()
      .regex(/^[A-Z]{3,8}$/, 'expected a currency code such as USD')
      .default('USD'),
    per: z.enum(pricePeriods).exactOptional(),
    ...rateFields,
    gpuHour: modelRates(anyCaseModel),
  })
  .superRefine((price, context) => {
    const given = rateNames.filter((name) => price[name] !== undefined);
    const [first] = given;
    if (first === undefined) return;
    for (const name of ['amount', 'per'] as const) {
      if (price[name] === undefined) continue;
      const message = `is for one price for everything, and ${first} for a price by what is taken, an hour: keep one of the two`;
      context.addIssue({ code: 'custom', path: [name], message });
    }
  })
  .prefault({});

const DEFAULT_AMOUNT = '0.02';

export function askingOf({ amount, per, currency, ...rates }: z.output<typeof askedPrice>): Asking {
  if (rateNames.some((name) => rates[name] !== undefined)) return { currency, ...rates };
  return { amount: amount ?? DEFAULT_AMOUNT, currency, per: per ?? 'hour' };
}
