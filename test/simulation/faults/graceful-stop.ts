import type { Fault } from './fault.ts';

const LONGEST_DOWN_MS = 8000;
/** A stop takes as long as a farewell at most; some are killed in the middle of it. */
const LONGEST_STOP_MS = 1500;
const KILLED = 0.3;

/** A node is asked to stop between any two steps, is killed before it is done now and then, and starts again. */
export const gracefulStop: Fault = {
  name: 'graceful-stop',
  chance: 0.15,
  mostTimes: 3,
  strike({ world, chance, machines, later }) {
    const machine = chance.oneOf(machines);
    if (machine.life === undefined) return;
    const departure = world.shutDown(machine);
    if (chance.chance(KILLED)) later(chance.fraction() * LONGEST_STOP_MS, () => departure.kill());
    later(LONGEST_STOP_MS + chance.fraction() * LONGEST_DOWN_MS, async () => {
      if (!departure.isOver()) throw new Error(`${machine.name} did not stop in ${LONGEST_STOP_MS} ms`);
      if (machine.life === undefined) await world.boot(machine);
    });
  },
};
