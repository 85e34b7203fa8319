import { PING_PROTOCOL } from '@libp2p/ping';
import { ByteQueue } from './byte-queue.ts';

/**
 * What the data of a stream costs, in units of about 25 us on an ordinary machine: what is in a piece is cheap in bytes
 * and dear in messages, and the libraries take all of a piece at once.
 */
export interface StreamCosts {
  /** Messages stand behind their length, as a varint: a piece ends where so much of them is in it. */
  readonly isFramed: boolean;
  readonly unitsPerMessage: number;
  readonly bytesPerUnit: number;
  /** More of it ends the stream: nobody needs that much. */
  readonly mostBytes: number;
  /** The same for what comes while the answers before it cannot be sent, because the other side does not read. */
  readonly mostUnansweredBytes: number;
}

const NO_BOUND = Number.POSITIVE_INFINITY;

/** What is said before a stream has a protocol: a word at a time, and few of them. */
const NEGOTIATION: StreamCosts = {
  isFramed: true,
  unitsPerMessage: 64,
  bytesPerUnit: 64,
  mostBytes: 2048,
  mostUnansweredBytes: NO_BOUND,
};
const GOSSIP: StreamCosts = {
  isFramed: true,
  unitsPerMessage: 6,
  bytesPerUnit: 16,
  mostBytes: NO_BOUND,
  mostUnansweredBytes: NO_BOUND,
};
const LOOKUP: StreamCosts = { ...GOSSIP, unitsPerMessage: 32 };
const IDENTIFY: StreamCosts = { ...NEGOTIATION, mostBytes: 16 * 1024 };
/** Each piece is sent back on its own. */
const PING: StreamCosts = {
  isFramed: false,
  unitsPerMessage: 8,
  bytesPerUnit: 256,
  mostBytes: NO_BOUND,
  mostUnansweredBytes: 16 * 1024,
};
/** Channels of ours decode no further than there is room. */
const OWN: StreamCosts = {
  isFramed: false,
  unitsPerMessage: 1,
  bytesPerUnit: 4096,
  mostBytes: NO_BOUND,
  mostUnansweredBytes: NO_BOUND,
};

function costsOf(protocol: string): StreamCosts {
  if (protocol === '') return NEGOTIATION;
  if (protocol === PING_PROTOCOL) return PING;
  if (protocol.startsWith('/meshsub/') || protocol.startsWith('/floodsub/')) return GOSSIP;
  if (protocol.startsWith('/ipfs/id/')) return IDENTIFY;
  return protocol.includes('/kad/') ? LOOKUP : OWN;
}

const GATHERED_BYTES = 2048;
const CONTINUES = 0x80;
const PAYLOAD_BITS = 7;

/** Where the messages of one stream end, and how much of it there was under one protocol. */
export class StreamMeasure {
  protocol = '';
  readonly gathered = new ByteQueue();
  #costs = NEGOTIATION;
  #bytes = 0;
  #unanswered = 0;
  #left = 0;
  #prefix = 0;
  #prefixBits = 0;

  /** How many of the bytes cost about `units`, and what they do cost. */
  cut(
    protocol: string,
    bytes: Uint8Array,
    units: number,
  ): { readonly bytes: number; readonly units: number } {
    if (protocol !== this.protocol) {
      this.protocol = protocol;
      this.#costs = costsOf(protocol);
      this.#bytes = 0;
      this.#left = 0;
    }
    const costs = this.#costs;
    const most = Math.max(1, Math.floor(units * costs.bytesPerUnit));
    const taken = Math.min(bytes.byteLength, most);
    const cut = costs.isFramed
      ? this.#messages(bytes.subarray(0, taken), units)
      : { bytes: taken, messages: 1 };
    this.#bytes += cut.bytes;
    return { bytes: cut.bytes, units: cut.messages * costs.unitsPerMessage + cut.bytes / costs.bytesPerUnit };
  }

  /** True when a message is not whole yet, and its parts are small: they are gathered, or each would be kept on its own. */
  gathers(bytes: number): boolean {
    return this.#costs.isFramed && bytes < GATHERED_BYTES && (this.#left > 0 || this.#prefixBits > 0);
  }

  isTooMuch(bytes: number, isAnswered: boolean): boolean {
    this.#unanswered = isAnswered ? 0 : this.#unanswered + bytes;
    return this.#bytes > this.#costs.mostBytes || this.#unanswered > this.#costs.mostUnansweredBytes;
  }

  /** Ends behind the message with which it is enough. */
  #messages(bytes: Uint8Array, units: number): { readonly bytes: number; readonly messages: number } {
    const most = Math.max(1, Math.floor(units / this.#costs.unitsPerMessage));
    let offset = 0;
    let messages = 0;
    while (offset < bytes.byteLength && messages < most) {
      if (this.#left === 0) {
        const byte = bytes[offset] ?? 0;
        offset += 1;
        this.#prefix += (byte & (CONTINUES - 1)) * 2 ** this.#prefixBits;
        this.#prefixBits += PAYLOAD_BITS;
        if (byte >= CONTINUES) continue;
        this.#left = this.#prefix;
        this.#prefix = 0;
        this.#prefixBits = 0;
      } else {
        const part = Math.min(this.#left, bytes.byteLength - offset);
        offset += part;
        this.#left -= part;
      }
      if (this.#left === 0) messages += 1;
    }
    return { bytes: offset, messages };
  }
}
