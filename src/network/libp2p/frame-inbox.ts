import { CodedError, messageOf } from '../../lib/coded-error.ts';
import { FrameDecoder } from './frame-decoder.ts';

/** Received frames that wait for the reader; beyond these the other side's window stays shut. */
const MAX_WAITING_BYTES = 256 * 1024;
const MAX_WAITING_FRAMES = 256;
/** What a frame takes in memory beside its bytes. */
const FRAME_OVERHEAD_BYTES = 160;

interface Reader {
  resolve(frame: Uint8Array | undefined): void;
  reject(error: Error): void;
}

export interface FrameInboxNeeds {
  readonly maxFrameBytes: number;
  /** Called with false when no more is wanted for now, and with true when it is again. */
  flow(goesOn: boolean): void;
  /** Runs it in a later turn of the event loop. */
  later(run: () => void): void;
  /** Called when the other side has said something. */
  firstFrame(): void;
  /** What arrived is no frame: the inbox has failed with it. */
  fault(error: Error): void;
}

/** Frames of one stream between their arrival and their reader: decoded no further than there is room for. */
export class FrameInbox {
  readonly #needs: FrameInboxNeeds;
  readonly #readers: Reader[] = [];
  #decoder: FrameDecoder;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #spoke = false;
  #flows = true;
  #isGoingOn = false;
  /** The other side has said all of it. */
  #isLast = false;
  #taken = 0;
  #failure: Error | undefined;

  constructor(needs: FrameInboxNeeds) {
    this.#needs = needs;
    this.#decoder = new FrameDecoder(needs.maxFrameBytes);
  }

  /** What waits here keeps so much memory. */
  get heldBytes(): number {
    return this.#waitingBytes + this.#waiting.length * FRAME_OVERHEAD_BYTES + this.#decoder.heldBytes;
  }

  /** True when the other side owes the rest of a frame, and nothing here stands in its way. */
  get isOwed(): boolean {
    return this.#flows && this.#decoder.isUnfinished;
  }

  /** How many frames there were so far. */
  get taken(): number {
    return this.#taken;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  arrive(bytes: Uint8Array): void {
    if (this.#failure !== undefined) return;
    if (!this.#flows) {
      this.#decoder.postpone(bytes);
      return;
    }
    this.#decode(() => this.#decoder.push(bytes, this.#deliver));
    if (this.#isFull) this.#setFlow(false);
  }

  receive(): Promise<Uint8Array | undefined> {
    const frame = this.#waiting.shift();
    if (frame !== undefined) {
      this.#waitingBytes -= frame.byteLength;
      if (this.#waiting.length === 0 && !this.#flows) this.#soon();
      return Promise.resolve(frame);
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#isLast && !this.#decoder.hasRest) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  /** The other side has said all of it. False when that cuts a frame off. */
  end(): boolean {
    if (this.#failure !== undefined || (this.#decoder.isUnfinished && !this.#decoder.hasRest)) return false;
    this.#isLast = true;
    if (this.#decoder.hasRest) return true;
    for (const reader of this.#readers.splice(0)) reader.resolve(undefined);
    return true;
  }

  /** What was received before can be received still. After the end it changes nothing. */
  fail(error: Error): void {
    if (this.#isLast || this.#failure !== undefined) return;
    this.#failure = error;
    this.#decoder = new FrameDecoder(this.#needs.maxFrameBytes);
    for (const reader of this.#readers.splice(0)) reader.reject(error);
  }

  /** Nobody wants what waits any more. */
  drop(error: Error): void {
    this.#isLast = false;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.fail(error);
  }

  get #isFull(): boolean {
    return this.#waitingBytes > MAX_WAITING_BYTES || this.#waiting.length >= MAX_WAITING_FRAMES;
  }

  /** Whoever is quick with small frames would otherwise take all of them in one turn of the event loop. */
  #soon(): void {
    if (this.#isGoingOn) return;
    this.#isGoingOn = true;
    this.#needs.later(() => {
      this.#isGoingOn = false;
      if (this.#failure === undefined) this.#goOn();
    });
  }

  #goOn(): void {
    this.#decode(() => this.#decoder.goOn(this.#deliver));
    if (this.#isFull || this.#failure !== undefined) return;
    if (this.#isLast && this.#decoder.isUnfinished) {
      this.#fault(new CodedError('CHANNEL_CLOSED', 'The channel ended within a frame.'));
    } else if (this.#isLast) {
      for (const reader of this.#readers.splice(0)) reader.resolve(undefined);
    }
    this.#setFlow(true);
  }

  #decode(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fault(error instanceof Error ? error : new Error(messageOf(error)));
    }
  }

  #fault(error: Error): void {
    this.#isLast = false;
    this.fail(error);
    this.#needs.fault(error);
  }

  readonly #deliver = (frame: Uint8Array): boolean => {
    this.#taken += 1;
    if (!this.#spoke) {
      this.#spoke = true;
      this.#needs.firstFrame();
    }
    const reader = this.#readers.shift();
    if (reader === undefined) {
      this.#waiting.push(frame);
      this.#waitingBytes += frame.byteLength;
    } else {
      reader.resolve(frame);
    }
    return !this.#isFull;
  };

  #setFlow(goesOn: boolean): void {
    if (this.#flows === goesOn) return;
    this.#flows = goesOn;
    this.#needs.flow(goesOn);
  }
}
