import type { Explanation } from '../../client/index.ts';
import { tableOf } from './table.ts';
import { shortPeer } from './progress.ts';
import { priceLinesText, priceText } from './price-text.ts';

/** The ranks that put a bid where it is; the rest is in the machine's answer. */
const SHOWN_RANKS = 3;
const LONGEST_BAR = 30;

type Candidate = Explanation['candidates'][number];

/** Why a job is where it is, or where it would go, as a page for people. */
export function explanationText(explanation: Explanation, job: 'posted' | 'tried'): string {
  const { candidates, declines, nearest, suggestions, seenAtLeast } = explanation;
  return [
    headline(explanation, job),
    `Seen by at least ${seenAtLeast} provider${seenAtLeast === 1 ? '' : 's'}.`,
    ...section(
      'Bids, best first',
      candidates.length === 0 ? [] : [bidTable(candidates), ...pricesInFull(candidates)],
    ),
    ...section('Declines', histogram(declines)),
    ...section(
      'Nearest miss',
      nearest === undefined
        ? []
        : [
            `${nearest.field}: ${nearest.required} asked, ${nearest.available} on ${countOf(nearest.providers, 'provider')}`,
          ],
    ),
    ...section(
      'What would help',
      suggestions.map((suggestion) => `- ${suggestion}`),
    ),
  ].join('\n');
}

function headline({ placed, winner }: Explanation, job: 'posted' | 'tried'): string {
  if (winner === undefined) {
    if (placed) return 'Placed.';
    return job === 'posted' ? 'Not placed.' : 'Nobody would take it now.';
  }
  const posted = placed ? 'Placed on' : 'Not placed any more. It was on';
  const where = job === 'posted' ? posted : 'Would be tried first on';
  return `${where} ${winner.provider}, score ${winner.score}.\n${winner.reason}`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

function bidTable(candidates: readonly Candidate[]): string {
  const rows = candidates.map(({ provider, score, price, locked, ranks }) => [
    shortPeer(provider),
    String(score),
    priceText(price),
    locked ? 'yes' : 'no',
    topRanks(ranks),
  ]);
  return tableOf(['PROVIDER', 'SCORE', 'PRICE', 'LOCKED', 'MOST OF ITS SCORE FROM'], rows);
}

/** Of those that ask by what a job takes. */
function pricesInFull(candidates: readonly Candidate[]): readonly string[] {
  return candidates.flatMap(({ provider, price }) => {
    const lines = priceLinesText(price);
    return lines === '' ? [] : [`${shortPeer(provider)}: ${priceText(price)} is ${lines}`];
  });
}

function topRanks(ranks: Candidate['ranks']): string {
  return ranks
    .filter(({ value, weight }) => value * weight > 0)
    .toSorted((a, b) => b.value * b.weight - a.value * a.weight)
    .slice(0, SHOWN_RANKS)
    .map(({ name, value, reason }) => `${name} ${value} (${reason})`)
    .join('; ');
}

function histogram(declines: Explanation['declines']): readonly string[] {
  const names = declines.map(({ code, field }) => (field === undefined ? code : `${code} ${field}`));
  const widest = Math.max(0, ...names.map((name) => name.length));
  const most = Math.max(1, ...declines.map(({ count }) => count));
  return declines.map(({ count }, index) => {
    const bar = '#'.repeat(Math.ceil((count * LONGEST_BAR) / most));
    return `${(names[index] ?? '').padEnd(widest)}  ${bar.padEnd(LONGEST_BAR)}  ${count}`;
  });
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
