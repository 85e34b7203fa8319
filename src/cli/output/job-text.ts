import { wallMsOf } from '../../lib/clock.ts';
import type { Execution, Job, JobSummary, Price } from '../../client/index.ts';
import { shortPeer } from './progress.ts';
import { tableOf } from './table.ts';
import { timeText } from './text.ts';
import { priceText } from './price-text.ts';

const SECOND_MS = 1000;
const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', SECOND_MS],
] as const;

/** `3d 4h`, `2m 5s`, `12s` or `0.35s`: the two largest units, and never less than nothing. */
export function durationText(ms: number): string {
  if (!(ms >= SECOND_MS)) return `${(Math.max(0, ms || 0) / SECOND_MS).toFixed(2)}s`;
  const first = UNITS.findIndex(([, unitMs]) => ms >= unitMs);
  const parts = UNITS.slice(first, first + 2).map(([unit, unitMs], index) => {
    const whole = Math.floor(index === 0 ? ms / unitMs : (ms % (UNITS[first]?.[1] ?? 1)) / unitMs);
    return whole === 0 && index > 0 ? '' : `${whole}${unit}`;
  });
  return parts.filter((part) => part !== '').join(' ');
}

/** How long ago: the largest unit. */
export function ageText(iso: string, nowMs: number): string {
  return durationText(Math.max(SECOND_MS, nowMs - wallMsOf(iso))).split(' ')[0] ?? '';
}

const PERIOD_MS: Readonly<Record<string, number>> = { second: 1000, minute: 60_000, hour: 3_600_000 };

/** What an attempt comes to at the price of its contract, by the time that it ran so far; undefined where nothing ran. */
function costOf(execution: Execution, nowMs: number): number | undefined {
  const { price, contractId, startedAt, finishedAt, observedState } = execution;
  if (price === undefined || contractId === undefined) return undefined;
  const amount = Number(price.amount);
  const periodMs = PERIOD_MS[price.per];
  if (periodMs === undefined) return observedState === 'Completed' ? amount : undefined;
  if (startedAt === undefined) return undefined;
  const endMs = finishedAt === undefined ? nowMs : wallMsOf(finishedAt);
  return (amount * Math.max(0, endMs - wallMsOf(startedAt))) / periodMs;
}

/** `0.0000067 USD`: three digits that count, and never as a power of ten. */
export function costText(amount: number, currency: string): string {
  const digits = amount === 0 ? 0 : Math.min(12, Math.max(2, 2 - Math.floor(Math.log10(amount))));
  const text = amount.toFixed(digits);
  return `${text.includes('.') ? text.replace(/0+$/, '').replace(/\.$/, '') : text} ${currency}`;
}

/** `…abcdefgh +2`: the newest provider, and how many others there were. */
function providersText(providers: readonly string[]): string {
  const [first, ...others] = providers;
  if (first === undefined) return '';
  return others.length === 0 ? shortPeer(first) : `${shortPeer(first)} +${others.length}`;
}

function stateText({ state, count, partitions }: JobSummary): string {
  return count === 1 ? state : `${state} ${partitions.completed}/${count}`;
}

export function jobListText(jobs: readonly JobSummary[], nowMs: number): string {
  const rows = jobs.map((job) => [
    job.id,
    job.name,
    stateText(job),
    providersText(job.providers),
    ageText(job.createdAt, nowMs),
    job.exitCode === undefined ? '' : String(job.exitCode),
  ]);
  return tableOf(['ID', 'NAME', 'STATE', 'PROVIDER', 'AGE', 'EXIT'], rows, WIDEST_NAME);
}

const WIDEST_NAME = 36;

/** One job with its times, its cost and each of its attempts. */
export function jobText(job: Job, nowMs: number): string {
  const reason = job.reason === undefined ? '' : `: ${job.reason}`;
  const endMs = job.finishedAt === undefined ? nowMs : wallMsOf(job.finishedAt);
  const took = durationText(endMs - wallMsOf(job.createdAt));
  const costs = costsOf(job, nowMs);
  return [
    `${job.name} ${job.id} is ${job.state}${reason}`,
    `posted      ${timeText(job.createdAt)}`,
    ...(job.finishedAt === undefined
      ? [`open        for ${took}`]
      : [`finished    ${timeText(job.finishedAt)}, after ${took}`]),
    ...(job.count === 1 ? [] : [`partitions  ${partitionsText(job)}`]),
    ...(costs === '' ? [] : [`cost        ${costs}`]),
    ...(job.executions.length === 0 ? [] : [executionTable(job.executions, nowMs)]),
  ].join('\n');
}

function partitionsText({ count, partitions }: JobSummary): string {
  const { completed, ...others } = partitions;
  const rest = Object.entries(others).filter(([, number]) => number > 0);
  return [`${completed} of ${count} completed`, ...rest.map(([place, number]) => `${number} ${place}`)].join(
    ', ',
  );
}

function costsOf({ executions }: Job, nowMs: number): string {
  const sums = new Map<string, number>();
  for (const execution of executions) {
    const cost = costOf(execution, nowMs);
    const { currency } = execution.price ?? {};
    if (cost !== undefined && currency !== undefined) sums.set(currency, (sums.get(currency) ?? 0) + cost);
  }
  return [...sums].map(([currency, amount]) => costText(amount, currency)).join(' + ');
}

const COLUMNS = [
  'PARTITION',
  'ATTEMPT',
  'PROVIDER',
  'STATE',
  'STARTED',
  'TOOK',
  'PRICE',
  'COST',
  'EXIT',
  'END',
  'MESSAGE',
];

function executionTable(executions: readonly Execution[], nowMs: number): string {
  return tableOf(
    COLUMNS,
    executions.map((execution) => executionRow(execution, nowMs)),
  );
}

function executionRow(execution: Execution, nowMs: number): readonly string[] {
  const { startedAt, finishedAt, price, exitCode } = execution;
  const endMs = finishedAt === undefined ? nowMs : wallMsOf(finishedAt);
  return [
    String(execution.partition),
    String(execution.attempt),
    shortPeer(execution.provider),
    execution.observedState,
    startedAt === undefined ? '' : timeText(startedAt),
    startedAt === undefined ? '' : durationText(endMs - wallMsOf(startedAt)),
    price === undefined ? '' : priceText(price),
    executionCost(execution, price, nowMs),
    exitCode === undefined ? '' : String(exitCode),
    execution.exitReason ?? '',
    execution.message ?? '',
  ];
}

function executionCost(execution: Execution, price: Price | undefined, nowMs: number): string {
  const cost = costOf(execution, nowMs);
  return cost === undefined || price === undefined ? '' : costText(cost, price.currency);
}
