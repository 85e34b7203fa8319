import type { Attack } from '../attack.ts';
import { atRate } from '../persistence.ts';
import { roads } from '../roads.ts';

const PER_SECOND = 2000;
const AT_ONCE = 48;
const NOBODYS_PROTOCOL = `/nobody/${'x'.repeat(512)}/1`;

export const streamChurn: Attack = {
  name: 'stream-churn',
  about:
    'opens streams of each protocol, and of one that nobody speaks, and drops them at once: 2 000 a second',
  protocol: 'all protocols of streams, multistream',
  prepare: async (scene) => {
    const host = await scene.host();
    const known = roads(scene).map(({ target, protocol }) => ({ target, protocol }));
    const ways = [...known, ...scene.targets.map((target) => ({ target, protocol: NOBODYS_PROTOCOL }))];
    return (signal) =>
      atRate(PER_SECOND, AT_ONCE, signal, async (index) => {
        const way = ways[index % ways.length];
        if (way === undefined) return;
        try {
          const stream = await host.open(way.target, way.protocol, signal);
          scene.count('streams');
          stream.abort(new Error('not wanted'));
        } catch (error) {
          scene.refused(error);
        }
      });
  },
};
