import { CodedError, codeOf } from '../../lib/coded-error.ts';
import type { Channel } from '../underlay.ts';
import { frameCostMs, type ProtocolCost, sendingCostMs } from './costs.ts';

export interface Purse {
  /** Pays at once; false when nothing is left. */
  pays(peer: string, workMs: number): boolean;
  /** Pays when something is left; false when the channel is over before that, or waited too long. */
  waitsFor(peer: string, workMs: number, over: AbortSignal): Promise<boolean>;
  /** A channel was opened and dropped, and nothing came on it. */
  unused(peer: string): void;
  /** What has to be paid whether it is there or not. */
  owes(peer: string, workMs: number): void;
}

/** A channel that a peer opened: each frame is paid for before anybody looks at it, and what is sent as it goes. */
export class PaidChannel implements Channel {
  readonly peer: string;
  readonly ended: Promise<void>;
  readonly #channel: Channel;
  readonly #cost: ProtocolCost;
  readonly #purse: Purse;
  /** Something came on it, or this side dropped it: its end says nothing about the other side. */
  #isUsed = false;
  #over: AbortSignal | undefined;

  constructor(channel: Channel, cost: ProtocolCost, purse: Purse) {
    this.peer = channel.peer;
    this.ended = channel.ended;
    this.#channel = channel;
    this.#cost = cost;
    this.#purse = purse;
  }

  /** Pays for the channel itself; false when it was dropped for that. */
  async enter(): Promise<boolean> {
    if (await this.#waitsFor(this.#cost.channelMs)) return true;
    this.#channel.abort();
    return false;
  }

  async receive(): Promise<Uint8Array | undefined> {
    const frame = await this.#first(this.#channel.receive());
    this.#isUsed = true;
    if (frame === undefined) return undefined;
    const costMs = frameCostMs(this.#cost, frame.length);
    if (!this.#purse.pays(this.peer, costMs) && !(await this.#waitsFor(costMs))) {
      if (this.#over?.aborted === true) throw new CodedError('CHANNEL_CLOSED', 'The channel is closed.');
      this.abort();
      throw new CodedError('OVER_ALLOWANCE', 'The other side has cost this node more than it may.');
    }
    return frame;
  }

  async send(frame: Uint8Array): Promise<void> {
    const costMs = sendingCostMs(this.#cost, frame.length);
    if (costMs > 0 && !this.#purse.pays(this.peer, costMs) && !(await this.#waitsFor(costMs))) {
      // What was begun is brought to its end: it is the next question that has to wait.
      this.#purse.owes(this.peer, costMs);
    }
    await this.#channel.send(frame);
  }

  close(): Promise<void> {
    return this.#channel.close();
  }

  abort(): void {
    this.#isUsed = true;
    this.#channel.abort();
  }

  /** A channel that is dropped before anything came on it whole was of no use but to keep this node busy. */
  async #first(frame: Promise<Uint8Array | undefined>): Promise<Uint8Array | undefined> {
    try {
      return await frame;
    } catch (error) {
      if (!this.#isUsed && codeOf(error) === 'CHANNEL_CLOSED') this.#purse.unused(this.peer);
      this.#isUsed = true;
      throw error;
    }
  }

  /** One listener for its end, however often it waits. */
  #waitsFor(costMs: number): Promise<boolean> {
    this.#over ??= endOf(this.#channel);
    return this.#purse.waitsFor(this.peer, costMs, this.#over);
  }
}

function endOf(channel: Channel): AbortSignal {
  const over = new AbortController();
  void channel.ended.then(() => over.abort());
  return over.signal;
}
