import bytesIec from 'bytes-iec';
import ms from 'ms';
import { z } from 'zod';

const LONGEST_DURATION_MS = 365 * 24 * 60 * 60 * 1000;
const MOST_BYTES = 2 ** 50;
const MOST_CPU_MILLIS = 1_000_000;

const NO_CORES = 'expected cores such as 2, 0.5 or 500m';
const NO_SIZE = 'expected a size such as 256MiB, 1GB or a number of bytes';
const NO_DURATION = 'expected a duration such as 250ms, 5s, 10m or 1h, at most 365d';

const textOrNumber = (error: string): z.ZodUnion<[z.ZodString, z.ZodNumber]> =>
  z.union([z.string(), z.number()], { error });

/** `500m`, `0.5` or `2` (cores) -> thousandths of a core. */
export const cpuQuantity = textOrNumber(NO_CORES).transform((input, context): number => {
  const text = String(input).trim();
  const match = /^(\d+(?:\.\d+)?)(m?)$/.exec(text);
  const millis = match === null ? Number.NaN : Math.round(Number(match[1]) * (match[2] === 'm' ? 1 : 1000));
  if (Number.isInteger(millis) && millis <= MOST_CPU_MILLIS) return millis;
  context.addIssue({ code: 'custom', message: NO_CORES });
  return z.NEVER;
});

/** `256MiB`, `1GB` or a whole number of bytes -> bytes. */
export const byteQuantity = textOrNumber(NO_SIZE).transform((input, context): number => {
  const bytes = typeof input === 'number' ? input : parseBytes(input.trim());
  if (Number.isSafeInteger(bytes) && bytes >= 0 && bytes <= MOST_BYTES) return bytes;
  context.addIssue({ code: 'custom', message: NO_SIZE });
  return z.NEVER;
});

function parseBytes(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  if (!/^\d+(\.\d+)?\s*([kKMGTP]i?)?B$/.test(text)) return Number.NaN;
  const parsed = bytesIec.parse(text);
  return parsed === null ? Number.NaN : Math.round(parsed);
}

/** `5s`, `250ms`, `10m`, `1h` or a whole number of milliseconds -> milliseconds. */
export const durationQuantity = textOrNumber(NO_DURATION).transform((input, context): number => {
  const value = typeof input === 'number' ? input : parseDuration(input.trim());
  if (Number.isSafeInteger(value) && value >= 0 && value <= LONGEST_DURATION_MS) return value;
  context.addIssue({ code: 'custom', message: NO_DURATION });
  return z.NEVER;
});

function parseDuration(text: string): number {
  if (!/^\d+(\.\d+)?\s*(ms|s|m|h|d)$/.test(text)) return Number.NaN;
  return Math.round(ms(text as ms.StringValue));
}
