import type { AttackFigure } from './figures.ts';
import type { Measured } from './measure.ts';

/** For people: what the attack did, and a line for each bound. */
export function inWords(
  { attack, counts }: Measured,
  figures: readonly AttackFigure[],
  load: number,
): string {
  const did = Object.entries(counts).map(([what, count]) => `${Math.round(count)} ${what}`);
  const lines = figures.map(({ metric, value, unit, bound, ok, ...labels }) => {
    const rest = Object.entries(labels)
      .filter(([label]) => label !== 'attack')
      .map(([label, said]) => `${label} ${said}`);
    const figure = `${metric.padEnd(18)}${`${value} ${unit}`.padStart(10)}`;
    return `  ${ok ? '  ' : '! '}${figure}   bound ${String(bound).padEnd(6)} ${rest.join(', ')}`;
  });
  return [`${attack.name} (${attack.protocol}; ${did.join(', ')}; load ${load})`, ...lines].join('\n');
}
