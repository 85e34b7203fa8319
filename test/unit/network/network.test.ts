import { describe, expect, it } from 'vitest';
import { requirements, resources } from '../domain/market-values.ts';
import { known, TableWorld } from '../registry/table-world.ts';

describe('three nodes', () => {
  it('soon know those that provide, what is free there, and who left', async () => {
    const world = new TableWorld();
    const a = await world.add('a');
    const b = await world.add('b');
    const reader = await world.add('reader', false);
    await world.clock.advanceBy(2100);
    expect(known(a)).toEqual([b.peer]);
    expect(known(b)).toEqual([a.peer]);
    expect(known(reader)).toEqual([a.peer, b.peer].sort());
    expect(world.nodes.map(({ registry }) => registry.sizeEstimate())).toEqual([2, 2, 2]);
    expect(reader.registry.candidates(requirements(), { limit: 5 })).toHaveLength(2);
    const [first] = reader.registry.candidates(requirements(), { limit: 1 });
    expect(first?.providerRecord).toEqual(new TextEncoder().encode(first?.peer));

    a.free = resources({ cpuMillis: 0 });
    await world.clock.advanceBy(6000);
    const left = reader.registry.candidates(requirements(), { limit: 5 });
    expect(left.map(({ peer, comparison }) => [peer, comparison.hardOk])).toEqual([
      [b.peer, true],
      [a.peer, false],
    ]);

    await b.stop();
    await world.clock.advanceBy(100);
    expect(known(reader)).toEqual([a.peer]);
    a.simulated.crash();
    await world.clock.advanceBy(50_000);
    expect(known(reader)).toEqual([]);
  });

  it('know each other over a neighbour, and in spite of losses', async () => {
    const world = new TableWorld({ connectAll: false, gossipLoss: 0.2 });
    const [a, middle, b] = [await world.add('a'), await world.add('middle', false), await world.add('b')];
    world.simulation.connect(a.peer, middle.peer);
    world.simulation.connect(middle.peer, b.peer);
    await world.clock.advanceBy(60_000);
    expect(known(a)).toEqual([b.peer]);
    expect(known(b)).toEqual([a.peer]);
    expect(known(middle)).toHaveLength(2);
  });
});
