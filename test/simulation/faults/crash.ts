import type { Fault } from './fault.ts';

const LONGEST_DOWN_MS = 8000;

/** A node ends between any two steps, loses what was not on disk yet, and starts again. */
export const crash: Fault = {
  name: 'crash',
  chance: 0.2,
  mostTimes: 3,
  strike({ world, chance, machines, later }) {
    const machine = chance.oneOf(machines);
    if (machine.life === undefined) return;
    world.crash(machine);
    later(chance.fraction() * LONGEST_DOWN_MS, async () => {
      if (machine.life === undefined) await world.boot(machine);
    });
  },
};
