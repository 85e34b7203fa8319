import { z } from 'zod';

/** Digits after the point that are kept; amounts are whole numbers of 10^-9 of the currency. */
const SCALE_DIGITS = 9;
const SCALE = 10n ** BigInt(SCALE_DIGITS);
const MOST_WHOLE_DIGITS = 12;
const AMOUNT_PATTERN = new RegExp(`^\\d{1,${MOST_WHOLE_DIGITS}}(\\.\\d{1,${SCALE_DIGITS}})?$`);
/** What a price comes to for long work. */
const COST_PATTERN = /^\d{1,32}(\.\d{1,9})?$/;
const NO_AMOUNT = `expected a decimal amount in quotes such as "0.10", without a sign, with at most ${MOST_WHOLE_DIGITS} digits before the point and ${SCALE_DIGITS} behind it`;

/** A decimal amount as text, such as `0.10`. Money is never a float. */
export const decimalAmount = z
  .string({ error: ({ input }) => (input === undefined ? undefined : NO_AMOUNT) })
  .regex(AMOUNT_PATTERN, NO_AMOUNT);

export const pricePeriods = ['result', 'second', 'minute', 'hour'] as const;
export type PricePeriod = (typeof pricePeriods)[number];

export interface Price {
  readonly amount: string;
  readonly currency: string;
  readonly per: PricePeriod;
  /** How the amount came about, where it was computed from what a job takes. */
  readonly lines?: readonly PriceLine[];
}

/** What one kind of thing comes to for an hour: `quantity` times `rate`, all as decimal text. */
export interface PriceLine {
  /** `base`, `cpu`, `memory`, `disk` or `gpu`; others may take money for further things. */
  readonly item: string;
  /** Of the devices. */
  readonly model?: string;
  /** Partitions, cores, GiB, or devices. */
  readonly quantity: string;
  readonly rate: string;
  readonly amount: string;
}

const PERIOD_MS: Readonly<Record<Exclude<PricePeriod, 'result'>, number>> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
};

/** Whether a text is an amount that can be compared and paid. */
export function isDecimalAmount(amount: string): boolean {
  return AMOUNT_PATTERN.test(amount);
}

/** The amount in billionths. Throws on text that {@link decimalAmount} would refuse. */
export function amountToNano(amount: string): bigint {
  if (!isDecimalAmount(amount)) throw new RangeError(`not a decimal amount: ${amount}`);
  return nanoOf(amount);
}

/** The amount in billionths that a text names, also where it is more than a price may be; undefined where it names none. */
export function textToNano(text: string): bigint | undefined {
  return COST_PATTERN.test(text) ? nanoOf(text) : undefined;
}

function nanoOf(amount: string): bigint {
  const [whole = '0', fraction = ''] = amount.split('.');
  return BigInt(whole) * SCALE + BigInt(fraction.padEnd(SCALE_DIGITS, '0'));
}

/** The shortest decimal text of an amount in billionths. */
export function nanoToAmount(nano: bigint): string {
  const fraction = (nano % SCALE).toString().padStart(SCALE_DIGITS, '0').replace(/0+$/, '');
  const whole = (nano / SCALE).toString();
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

/** What `price` comes to for `durationMs` of work, in billionths, rounded up: the base on which prices are compared. */
export function costNano(price: Price, durationMs: number): bigint {
  const amount = amountToNano(price.amount);
  if (price.per === 'result') return amount;
  const periodMs = BigInt(PERIOD_MS[price.per]);
  return (amount * BigInt(Math.ceil(durationMs)) + periodMs - 1n) / periodMs;
}

/** In billionths: what a budget `per` that has to do for `price` is to name at least, for `durationMs` of work. */
export function sufficientAmount(price: Price, per: PricePeriod, durationMs: number): bigint {
  if (price.per === per) return amountToNano(price.amount);
  const cost = costNano(price, durationMs);
  const wholeMs = BigInt(Math.ceil(durationMs));
  if (per === 'result' || wholeMs === 0n) return cost;
  return (cost * BigInt(PERIOD_MS[per]) + wholeMs - 1n) / wholeMs;
}
