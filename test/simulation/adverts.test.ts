import { expect, it } from 'vitest';
import { known, TableWorld } from '../unit/registry/table-world.ts';
import { SeededRandom } from './seeded-random.ts';

const NODES = 50;
const PER_PEER_MS = 1000;

/**
 * On production code from signature to table: every node comes to know the others, and once they know how many they
 * are they speak as seldom as that asks for.
 */
it(`adverts reach ${NODES} nodes, and thin out`, async () => {
  const world = new TableWorld(
    { connectAll: false, gossipDegree: 4 },
    { intervalPerPeerMs: PER_PEER_MS, longestIntervalMs: 10 * NODES * PER_PEER_MS },
  );
  for (let index = 0; index < NODES; index += 1) await world.add(`node ${index}`);
  const random = new SeededRandom('links');
  for (const [index, node] of world.nodes.entries()) {
    for (const other of random.pick(world.nodes.slice(0, index), 4)) {
      world.simulation.connect(node.peer, other.peer);
    }
  }
  await world.clock.advanceBy(70_000);
  for (const node of world.nodes) {
    expect(known(node).length).toBeGreaterThanOrEqual(NODES - 2);
    expect(Math.abs(node.registry.sizeEstimate() - NODES)).toBeLessThanOrEqual(5);
  }
  const published = (): number =>
    world.nodes.reduce((sum, { network }) => sum + (network.counters()['advert.published'] ?? 0), 0);
  const before = published();
  const minutes = 2;
  await world.clock.advanceBy(minutes * 60_000);
  const expected = (NODES * minutes * 60_000) / (NODES * PER_PEER_MS);
  expect(published() - before).toBeGreaterThan(0.8 * expected);
  expect(published() - before).toBeLessThan(1.2 * expected);
  const counted = world.nodes.flatMap(({ network }) => Object.keys(network.counters()));
  expect(counted.filter((name) => /[A-Z]|surplus/.test(name))).toEqual([]);
});
