import { type Bench, type Figure, percentile, round } from './figure.ts';
import type { Fleet } from './market-fleet.ts';
import { MOST_WHO_TELL, runScale, wantedBids } from './market-scene.ts';

const FLEETS: readonly Fleet[] = ['identical', 'mixed'];
/** Fewer jobs where each costs more. */
const JOBS: ReadonlyMap<number, number> = new Map([
  [10, 100],
  [100, 100],
  [1000, 100],
  [10_000, 10],
]);

/**
 * Jobs at a fixed rate on networks of four sizes. `--iterations N` leaves out the sizes above N. The nodes are light:
 * production network, provider and registry of eight rows, on memory; a signature in gossip is checked once for all.
 */
export const marketScale: Bench = {
  name: 'market-scale',
  about: 'what a job costs a network of 10 to 10 000 providers, and whom it goes to (simulated)',
  async run({ iterations = 10_000, report, note }) {
    for (const [nodes, jobs] of JOBS) {
      if (nodes > iterations) continue;
      for (const fleet of FLEETS) {
        note(`${nodes} providers, ${fleet} …`);
        const result = await runScale({ nodes, fleet, jobs });
        const figure = (metric: string, value: number, unit: string, more: Partial<Figure> = {}): void =>
          report({
            bench: 'market-scale',
            metric,
            value: round(value, 4),
            unit,
            nodes,
            fleet,
            jobs: result.satisfiable,
            composition: 'light',
            ...more,
          });
        const { winnerPercentiles, postToContractMs } = result;
        const mean = winnerPercentiles.reduce((sum, one) => sum + one, 0) / winnerPercentiles.length;
        figure('bids_handled_per_job', result.bidsHandledPerJob, 'bids', { wanted: wantedBids });
        figure('messages_per_node_per_job', result.messagesPerNodePerJob, 'messages', {
          adverts: nodes <= MOST_WHO_TELL ? 'production' : 'modelled',
        });
        figure('success_rate', result.successRate, 'share');
        figure('winner_percentile', mean, 'share', { p90: round(percentile(winnerPercentiles, 0.9), 4) });
        figure('post_to_contract_p50', percentile(postToContractMs, 0.5), 'ms', {
          p90: percentile(postToContractMs, 0.9),
        });
      }
    }
  },
};
