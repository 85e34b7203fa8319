import { underlaySuite } from '../suites/underlay.suite.ts';
import { startNodes, stopAll, type TransportName, until } from './libp2p-nodes.ts';

for (const transport of ['tcp', 'memory'] satisfies TransportName[]) {
  underlaySuite({
    name: `libp2p over ${transport}`,
    connect: async (count, prepare) => {
      const nodes = await startNodes(count, { transport }, prepare);
      return { nodes, run: (work) => work, until, stop: () => stopAll(nodes) };
    },
  });
}
