import type { Asking, Price } from '../../client/index.ts';

type PriceLine = NonNullable<Price['lines']>[number];
type RateCard = Exclude<Asking, Price>;

/** `0.02 USD/hour`. */
export function priceText({ amount, currency, per }: Price): string {
  return `${amount} ${currency}/${per}`;
}

/** What a node asks of everybody: `0.02 USD/hour`, or `0.001 + 0.04/core + 0.5/gpu (A100 1.2) USD/hour`. */
export function askingText(asking: Price | RateCard): string {
  if ('amount' in asking) return priceText(asking);
  const { base, cpuHour, memoryGiBHour, diskGiBHour, gpuHour, currency } = asking;
  const rates = [
    base ?? '',
    perUnit(cpuHour, 'core'),
    perUnit(memoryGiBHour, 'GiB memory'),
    perUnit(diskGiBHour, 'GiB disk'),
    gpuText(gpuHour),
  ].filter((rate) => rate !== '');
  return `${rates.length === 0 ? '0' : rates.join(' + ')} ${currency}/hour`;
}

function perUnit(rate: string | undefined, unit: string): string {
  return rate === undefined ? '' : `${rate}/${unit}`;
}

function gpuText(rates: Readonly<Record<string, string>> | undefined): string {
  if (rates === undefined) return '';
  const { default: others, ...models } = rates;
  const named = Object.entries(models).map(([model, rate]) => `${model} ${rate}`);
  return `${others ?? '0'}/gpu${named.length === 0 ? '' : ` (${named.join(', ')})`}`;
}

const UNITS: Readonly<Record<string, string>> = { cpu: ' cores', memory: ' GiB memory', disk: ' GiB disk' };

/** How a price came about: `0.06 (1.5 cores at 0.04) + 1 (2 × Tesla T4 at 0.5)`; empty where it is one price for everything. */
export function priceLinesText({ lines = [] }: Price): string {
  return lines.map((line) => `${line.amount}${because(line)}`).join(' + ');
}

function because({ item, model, quantity, rate }: PriceLine): string {
  if (item === 'base') return ' (base)';
  const what = item === 'gpu' ? `${quantity} × ${model ?? 'gpu'}` : `${quantity}${UNITS[item] ?? ` ${item}`}`;
  return ` (${what} at ${rate})`;
}
