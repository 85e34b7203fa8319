import type { Fault } from './fault.ts';

const HOUR_MS = 3_600_000;
const MOST_HOURS = 30;
const LONGEST_WRONG_MS = 8000;

/** The wall clock of a machine is set hours ahead or back, while its node runs or is down, and put right later. */
export const clockJump: Fault = {
  name: 'clock jump',
  chance: 0.2,
  mostTimes: 4,
  strike({ chance, machines, later }) {
    const { wall } = chance.oneOf(machines);
    const hours = 1 + chance.fraction() * (MOST_HOURS - 1);
    wall.offsetMs += Math.round(hours * HOUR_MS) * (chance.chance(0.5) ? 1 : -1);
    later(chance.fraction() * LONGEST_WRONG_MS, () => {
      wall.offsetMs = 0;
    });
  },
};
