import type { Fault, FaultScene } from './fault.ts';

const LONGEST_FULL_MS = 20_000;

/** The disk of a machine is full for a while, or its content store is, whether it provides or asks. */
function fillUp(name: string, setting: 'diskFull' | 'quotaFull'): Fault {
  return {
    name,
    chance: 0.15,
    mostTimes: 3,
    strike({ chance, machines, later }: FaultScene) {
      const { room } = chance.oneOf(machines);
      room[setting] = true;
      later(chance.fraction() * LONGEST_FULL_MS, () => {
        room[setting] = false;
      });
    },
    end({ machines }: FaultScene) {
      for (const { room } of machines) room[setting] = false;
    },
  };
}

export const fullDisk = fillUp('full disk', 'diskFull');
export const fullQuota = fillUp('full quota', 'quotaFull');
