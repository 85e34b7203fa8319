import { z } from 'zod';
import { amountToNano, nanoToAmount, type Price, type PriceLine } from './money.ts';

/** What a provider asks for what a job takes of its machine, an hour, as decimal amounts of one currency. */
export interface RateCard {
  readonly currency: string;
  /** For each partition, whatever it takes. */
  readonly base?: string;
  /** A core. */
  readonly cpuHour?: string;
  readonly memoryGiBHour?: string;
  readonly diskGiBHour?: string;
  /** A device, by what its model contains; the longest that is contained counts, and `default` where none is. */
  readonly gpuHour?: Readonly<Record<string, string>>;
}

/** What a provider asks: one price for each partition, or by what it takes. */
export type Asking = Price | RateCard;

/** What a partition takes, and the models of the devices it would get. */
export interface Taken {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly models: readonly string[];
}

/** A rate has fewer digits than a price, so that no machine is so large that its price has too many. */
const MOST_RATE_DIGITS = 5;
const RATE_PATTERN = new RegExp(`^\\d{1,${MOST_RATE_DIGITS}}(\\.\\d{1,9})?$`);
const NO_RATE = `expected a decimal amount in quotes such as "0.10", without a sign, with at most ${MOST_RATE_DIGITS} digits before the point and 9 behind it`;

/** The models of one card. */
const MOST_MODELS = 16;
export const LONGEST_MODEL = 64;
/** Of one price: base, cores, memory, disk, and the devices that an advert tells of. */
export const MOST_LINES = 4 + 64;

export const DEFAULT_MODEL = 'default';

const rate = z.string(NO_RATE).regex(RATE_PATTERN, NO_RATE);

export const modelName = z.string().min(1).max(LONGEST_MODEL);

/** The rates of devices, by names that `name` reads. */
export function modelRates(name: z.ZodType<string, string>) {
  return z
    .record(name, rate)
    .refine(
      (models) => Object.hasOwn(models, DEFAULT_MODEL),
      'expected default: what a device of any other model costs',
    )
    .refine(
      (models) => Object.keys(models).length <= MOST_MODELS + 1,
      `expected at most ${MOST_MODELS} models and default`,
    )
    .exactOptional();
}

export const rateFields = {
  base: rate.exactOptional(),
  cpuHour: rate.exactOptional(),
  memoryGiBHour: rate.exactOptional(),
  diskGiBHour: rate.exactOptional(),
  gpuHour: modelRates(modelName),
} as const;

export function isRateCard(asking: Asking): asking is RateCard {
  return !('amount' in asking);
}

const CORE_MILLIS = 1000n;
const GIB = 2n ** 30n;
const NANO = 10n ** 9n;

interface Counted {
  readonly item: PriceLine['item'];
  readonly model?: string;
  readonly rate: string | undefined;
  /** So many of `per` are one unit of the rate. */
  readonly amount: bigint;
  readonly per: bigint;
}

/** The price of what is taken: its amount is the sum of its lines, an hour each. */
export function priceOf(asking: Asking, taken: Taken): Price {
  if (!isRateCard(asking)) return asking;
  const lines = countedOf(asking, taken).flatMap((counted) => lineOf(counted));
  const sum = lines.reduce((total, { amount }) => total + amountToNano(amount), 0n);
  return { amount: nanoToAmount(sum), currency: asking.currency, per: 'hour', lines };
}

/** Whether a price is what its lines come to, and they what they say; one without lines has nothing to add up. */
export function addsUp({ amount, per, lines }: Price): boolean {
  if (lines === undefined) return true;
  const sum = lines.reduce((total, line) => total + amountToNano(line.amount), 0n);
  return per === 'hour' && sum === amountToNano(amount) && lines.every((line) => isProduct(line));
}

/** Both the quantity and the amount were rounded up, each by less than a billionth. */
function isProduct({ quantity, rate: perUnit, amount }: PriceLine): boolean {
  const [rateNano, said] = [amountToNano(perUnit), amountToNano(amount) * NANO];
  const product = rateNano * amountToNano(quantity);
  return said <= product + NANO && said >= product - rateNano;
}

/** The rate of a device: of the longest name that its model contains, in whatever case. */
export function gpuRateOf(card: RateCard, model: string): string | undefined {
  const there = model.toLowerCase();
  let best: string | undefined;
  for (const name of Object.keys(card.gpuHour ?? {})) {
    const isMeant = name !== DEFAULT_MODEL && there.includes(name.toLowerCase());
    if (isMeant && name.length > (best?.length ?? 0)) best = name;
  }
  return card.gpuHour?.[best ?? DEFAULT_MODEL];
}

function countedOf(card: RateCard, { cpuMillis, memoryBytes, diskBytes, models }: Taken): readonly Counted[] {
  const devices = new Map<string, number>();
  for (const model of models) devices.set(model, (devices.get(model) ?? 0) + 1);
  return [
    { item: 'base', rate: card.base, amount: 1n, per: 1n },
    { item: 'cpu', rate: card.cpuHour, amount: BigInt(Math.ceil(cpuMillis)), per: CORE_MILLIS },
    { item: 'memory', rate: card.memoryGiBHour, amount: BigInt(Math.ceil(memoryBytes)), per: GIB },
    { item: 'disk', rate: card.diskGiBHour, amount: BigInt(Math.ceil(diskBytes)), per: GIB },
    ...[...devices].map(([model, count]) => ({
      item: 'gpu' as const,
      model: model.slice(0, LONGEST_MODEL).toWellFormed(),
      rate: gpuRateOf(card, model),
      amount: BigInt(count),
      per: 1n,
    })),
  ];
}

/** Nothing where nothing is asked for it. Rounded up to the billionth, as every cost is. */
function lineOf({ item, model, rate: perUnit, amount, per }: Counted): readonly PriceLine[] {
  if (perUnit === undefined || amount === 0n) return [];
  const nano = (amountToNano(perUnit) * amount + per - 1n) / per;
  return [
    {
      item,
      ...(model === undefined ? {} : { model }),
      quantity: nanoToAmount((amount * NANO + per - 1n) / per),
      rate: perUnit,
      amount: nanoToAmount(nano),
    },
  ];
}
