import { type Clock, type Timer } from '../../lib/clock.ts';
import { durationText } from '../../domain/field-text.ts';
import type { ProviderLimits } from '../options.ts';
import type { StopReason } from './supervisor.ts';

export type BringingLimits = Pick<ProviderLimits, 'awayBeforeStartMs' | 'longestHeartbeatMs'>;

/** How bringing the inputs of one contract goes, on the clock that does not jump. */
interface Bringing {
  /** When its requester was last heard, whatever it was about. */
  readonly heardAtMs: number;
}

/**
 * When a contract that has not begun ends, should nothing be heard until then. Who comes back within the time is tried
 * once more before it is over, since tries are as far apart as that.
 */
function bringingEndsAtMs({ heardAtMs }: Bringing, limits: BringingLimits): number {
  return heardAtMs + limits.awayBeforeStartMs + limits.longestHeartbeatMs;
}

export interface BringingWatchNeeds {
  readonly clock: Clock;
  readonly heardAtMs: () => number;
  readonly onOver: (reason: StopReason) => void;
}

/** Holds one contract to {@link bringingEndsAtMs}, from its acceptance until all that it needs is here. */
export class BringingWatch {
  readonly #limits: BringingLimits;
  readonly #needs: BringingWatchNeeds;
  #timer: Timer | undefined;

  constructor(limits: BringingLimits, needs: BringingWatchNeeds) {
    this.#limits = limits;
    this.#needs = needs;
    this.#look();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const { clock, heardAtMs, onOver } = this.#needs;
    const leftMs = bringingEndsAtMs({ heardAtMs: heardAtMs() }, this.#limits) - clock.monotonicMs();
    if (leftMs > 0) this.#timer = clock.after(leftMs, () => this.#look());
    else onOver(away(this.#limits));
  }
}

function away({ awayBeforeStartMs }: BringingLimits): StopReason {
  return {
    exitReason: 'requester-away',
    message: `The requester could not be reached for ${durationText(awayBeforeStartMs)}, and the work had not begun: what was set aside for it is free again. The job is placed anew once its node is back.`,
  };
}
