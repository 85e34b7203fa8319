import { CodedError } from '../lib/coded-error.ts';
import type { Channel } from './underlay.ts';

export interface PairSide {
  /** The peer on this side, as the other side sees it. */
  readonly peer: string;
  /** What this side sends and takes. */
  readonly maxFrameBytes: number;
}

/**
 * Brings `deliver` about later, towards the side of `to`. Calls for one side keep their order;
 * dropping one loses what it carries.
 */
export type Carry = (to: string, deliver: () => void) => void;

interface Waiter {
  readonly resolve: (frame?: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

/** Bytes that a side may have under way before its sends wait for the reader. */
const WINDOW_BYTES = 256 * 1024;

function closedError(): CodedError<'CHANNEL_CLOSED'> {
  return new CodedError('CHANNEL_CLOSED', 'The channel is closed.');
}

function tooLarge(which: string): CodedError<'FRAME_TOO_LARGE'> {
  return new CodedError('FRAME_TOO_LARGE', `The frame ${which} is over the limit.`);
}

class PairEnd implements Channel {
  readonly peer: string;
  readonly ended: Promise<void>;
  readonly #side: string;
  readonly #maxFrameBytes: number;
  readonly #carry: Carry;
  readonly #settleEnded: () => void;
  #other: PairEnd = this;
  #inbox: Uint8Array[] = [];
  #readers: Waiter[] = [];
  #senders: Waiter[] = [];
  #underWayBytes = 0;
  #closedHere = false;
  #closedThere = false;
  #broken = false;

  constructor(side: PairSide, peer: string, carry: Carry) {
    this.#side = side.peer;
    this.#maxFrameBytes = side.maxFrameBytes;
    this.peer = peer;
    this.#carry = carry;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#settleEnded = resolve;
  }

  join(other: PairEnd): void {
    this.#other = other;
  }

  send(frame: Uint8Array): Promise<void> {
    if (this.#broken || this.#closedHere) return Promise.reject(closedError());
    if (frame.length > this.#maxFrameBytes) return Promise.reject(tooLarge('to send'));
    if (frame.length === 0)
      return Promise.reject(new CodedError('FRAME_EMPTY', 'A frame has a byte at least.'));
    this.#underWayBytes += frame.length;
    this.#carry(this.#other.#side, () => this.#other.#arrive(frame));
    if (this.#underWayBytes < WINDOW_BYTES) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#senders.push({ resolve: () => resolve(), reject });
    });
  }

  receive(): Promise<Uint8Array | undefined> {
    if (this.#broken) return Promise.reject(closedError());
    const frame = this.#inbox.shift();
    if (frame !== undefined) return this.#take(frame);
    if (this.#closedThere) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
    });
  }

  async close(): Promise<void> {
    if (this.#broken || this.#closedHere) return;
    this.#closedHere = true;
    this.#carry(this.#other.#side, () => this.#other.#end());
    if (this.#closedThere) this.#settleEnded();
  }

  abort(): void {
    if (this.#broken) return;
    this.reset();
    this.#carry(this.#other.#side, () => this.#other.reset());
  }

  /** The channel broke: this side alone learns of it. */
  reset(): void {
    this.#broken = true;
    this.#inbox = [];
    for (const waiter of [...this.#readers.splice(0), ...this.#senders.splice(0)])
      waiter.reject(closedError());
    this.#settleEnded();
  }

  #arrive(frame: Uint8Array): void {
    if (this.#broken) return;
    const reader = this.#readers.shift();
    if (reader === undefined) this.#inbox.push(frame);
    else this.#take(frame).then(reader.resolve, reader.reject);
  }

  #end(): void {
    if (this.#broken) return;
    this.#closedThere = true;
    for (const reader of this.#readers.splice(0)) reader.resolve(undefined);
    if (this.#closedHere) this.#settleEnded();
  }

  #take(frame: Uint8Array): Promise<Uint8Array> {
    if (frame.length > this.#maxFrameBytes) {
      this.abort();
      return Promise.reject(tooLarge('that came'));
    }
    this.#carry(this.#other.#side, () => this.#other.#credit(frame.length));
    return Promise.resolve(frame);
  }

  #credit(bytes: number): void {
    this.#underWayBytes -= bytes;
    if (this.#underWayBytes >= WINDOW_BYTES) return;
    for (const sender of this.#senders.splice(0)) sender.resolve(undefined);
  }
}

/** One end of a pair, with the door through which a breaking network reaches it. */
export type PairedChannel = Channel & { reset(): void };

/** Two joined in-memory channels: the first is held by `left`, the second by `right`. */
export function createChannelPair(
  left: PairSide,
  right: PairSide,
  carry: Carry,
): readonly [PairedChannel, PairedChannel] {
  const a = new PairEnd(left, right.peer, carry);
  const b = new PairEnd(right, left.peer, carry);
  a.join(b);
  b.join(a);
  return [a, b];
}
