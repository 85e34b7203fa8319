import type { SeededRandom } from '../seeded-random.ts';
import type { Machine, World } from '../world.ts';

/** What a fault has to work with. */
export interface FaultScene {
  readonly world: World;
  /** Of this fault alone: another one beside it changes nothing of what this one draws. */
  readonly chance: SeededRandom;
  readonly requester: Machine;
  readonly providers: readonly Machine[];
  /** All of them. */
  readonly machines: readonly Machine[];
  /** Does it when that time has passed, at the latest before the play comes to rest. */
  readonly later: (delayMs: number, act: () => Promise<void> | void) => void;
}

/** One way in which something goes wrong. `every-fault.ts` lists those of the play. */
export interface Fault {
  readonly name: string;
  /** Chance at each step of the play. */
  readonly chance: number;
  /** How often it strikes in one play at most. */
  readonly mostTimes: number;
  /** Begins it. What lasts is ended with `later`; nothing here waits for simulated time. */
  strike(scene: FaultScene): Promise<void> | void;
  /** Puts right what is left of it, so that all can become quiet. */
  end?(scene: FaultScene): Promise<void> | void;
}
