import { describe, expect, test } from 'vitest';
import { FaultPlay } from './faults/fault-play.ts';
import type { World } from './world.ts';

/**
 * Three nodes, lost and repeated gossip, breaking channels, and what `faults/every-fault.ts` lists, on anybody at any
 * time. What must hold: every job that was acknowledged completes; no execution runs twice; when all is quiet, all
 * capacity is free.
 * A failing seed is in the name of the test: `BIDMESH_SIMULATION_SEED=17 npx vitest run test/simulation` replays it.
 */
const SEEDS = 100;
const replay = process.env['BIDMESH_SIMULATION_SEED'];
const seeds =
  replay === undefined ? Array.from({ length: SEEDS }, (_, index) => String(index + 1)) : [replay];

describe('faults', () => {
  test.each(seeds)('seed %s: nothing is lost, leaked or run twice', { timeout: 60_000 }, async (seed) => {
    const play = new FaultPlay(seed);
    await play.toItsEnd();
    const { world } = play;
    expectNothingLeft(world);
    const twice = [...world.record.starts].filter(([, starts]) => starts > 1);
    expect(twice, 'executions that ran more than once').toEqual([]);
    await world.stop();
  });
});

function expectNothingLeft(world: World): void {
  for (const machine of world.machines.values()) {
    const { provider } = world.nodeOf(machine);
    if (provider === undefined) continue;
    expect(provider.leases(), `leases on ${machine.name}`).toEqual([]);
    expect(provider.pools().free, `free capacity on ${machine.name}`).toEqual(provider.pools().onboarded);
  }
}
