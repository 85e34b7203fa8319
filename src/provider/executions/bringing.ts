import { durationText } from '../../domain/matching/field-text.ts';
import { type Clock, type Timer } from '../../lib/clock.ts';
import type { ProviderLimits } from '../options.ts';
import type { StopReason } from './attempt-end.ts';

export type BringingLimits = Pick<
  ProviderLimits,
  'awayBeforeStartMs' | 'longestHeartbeatMs' | 'inputsGraceMs' | 'leastInputBytesPerSecond'
>;

/** How bringing the inputs of one contract goes, on the clock that does not jump. */
interface Bringing {
  readonly beganMs: number;
  /** When its requester was last heard, whatever it was about. */
  readonly heardAtMs: number;
  /** Of its inputs, what is here: bytes that came twice count once. */
  readonly broughtBytes: number;
}

interface BringingEnd {
  readonly atMs: number;
  readonly why: 'requester-away' | 'input-unavailable';
}

/**
 * When a contract that waits for its inputs ends, should nothing come until then. A requester that is back within its
 * time is tried once more before it is over, since tries are as far apart as that; one that is there has to bring what
 * it promised at a pace, whatever `startWithin` allows.
 */
function bringingEnd({ beganMs, heardAtMs, broughtBytes }: Bringing, limits: BringingLimits): BringingEnd {
  const awayAtMs = heardAtMs + limits.awayBeforeStartMs + limits.longestHeartbeatMs;
  const paceMs = Math.ceil((broughtBytes / limits.leastInputBytesPerSecond) * 1000);
  const lateAtMs = beganMs + limits.inputsGraceMs + paceMs;
  return awayAtMs <= lateAtMs
    ? { atMs: awayAtMs, why: 'requester-away' }
    : { atMs: lateAtMs, why: 'input-unavailable' };
}

export interface BringingWatchNeeds {
  readonly clock: Clock;
  readonly heardAtMs: () => number;
  readonly onHeard: () => void;
  readonly onOver: (reason: StopReason) => void;
}

/** Holds one contract to {@link bringingEnd}, from its acceptance until all that it needs is here. */
export class BringingWatch {
  readonly #limits: BringingLimits;
  readonly #needs: BringingWatchNeeds;
  readonly #beganMs: number;
  #timer: Timer | undefined;
  /** Of content that is here in full. */
  #wholeBytes = 0;
  /** Of the content that is being brought: by this try, and by the one that came furthest. */
  #triedBytes = 0;
  #furthestBytes = 0;

  constructor(limits: BringingLimits, needs: BringingWatchNeeds) {
    this.#limits = limits;
    this.#needs = needs;
    this.#beganMs = needs.clock.monotonicMs();
    this.#look();
  }

  /** Content is asked for, perhaps again. */
  tries(): void {
    this.#triedBytes = 0;
  }

  /** A block came, and is the one that was to come. */
  took(bytes: number): void {
    this.#triedBytes += bytes;
    this.#furthestBytes = Math.max(this.#furthestBytes, this.#triedBytes);
    this.#needs.onHeard();
  }

  /** The content is here; the next one follows. */
  isHere(): void {
    this.#wholeBytes += this.#furthestBytes;
    this.#triedBytes = 0;
    this.#furthestBytes = 0;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const { clock, heardAtMs, onOver } = this.#needs;
    const broughtBytes = this.#wholeBytes + this.#furthestBytes;
    const end = bringingEnd({ beganMs: this.#beganMs, heardAtMs: heardAtMs(), broughtBytes }, this.#limits);
    const leftMs = end.atMs - clock.monotonicMs();
    if (leftMs > 0) this.#timer = clock.after(leftMs, () => this.#look());
    else onOver({ exitReason: end.why, message: this.#messageFor(end, broughtBytes) });
  }

  #messageFor({ why }: BringingEnd, broughtBytes: number): string {
    const { awayBeforeStartMs, leastInputBytesPerSecond, inputsGraceMs } = this.#limits;
    if (why === 'requester-away') {
      const away = durationText(awayBeforeStartMs);
      return `The requester could not be reached for ${away}, and the work had not begun: what was set aside for it is free again. The job is placed anew once its node is back.`;
    }
    const took = durationText(this.#needs.clock.monotonicMs() - this.#beganMs);
    return `Of the inputs ${broughtBytes} bytes came in ${took}; a provider waits ${durationText(inputsGraceMs)}, and longer only while ${leastInputBytesPerSecond} bytes come each second. Post smaller inputs or fewer partitions at once, or mend the way to this node.`;
  }
}
