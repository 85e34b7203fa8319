import { encodeFrame } from '../../src/messages/frame.ts';
import type {
  Channel,
  GossipVerdict,
  OpenOptions,
  ProtocolLimits,
  Underlay,
  UnderlayListener,
} from '../../src/network/underlay.ts';

type Validate = (from: string, message: Uint8Array) => GossipVerdict;

const REFUSED = encodeFrame({ kind: 'refused', body: { code: 'REQUEST_CLOSED' } });

/**
 * The end of the wire: bytes go in where gossip would bring them, and every channel that the node opens is told
 * that its bid was not taken. It costs next to nothing, so what is measured is the node.
 */
export class WireEnd implements Underlay {
  readonly self: string;
  readonly maxGossipBytes = 4096;
  readonly #validators = new Map<string, Validate>();
  readonly #onFrame: (peer: string, frame: Uint8Array) => void;

  constructor(self: string, onFrame: (peer: string, frame: Uint8Array) => void) {
    this.self = self;
    this.#onFrame = onFrame;
  }

  deliver(topic: string, from: string, message: Uint8Array): GossipVerdict {
    const validate = this.#validators.get(topic);
    if (validate === undefined) throw new RangeError(`nobody listens on ${topic}`);
    return validate(from, message);
  }

  subscribe(topic: string, validate: Validate): void {
    this.#validators.set(topic, validate);
  }

  async open(
    peer: string,
    _protocol: string,
    _limits: ProtocolLimits,
    _options: OpenOptions,
  ): Promise<Channel> {
    const ended = Promise.withResolvers<void>();
    let answered = false;
    return {
      peer,
      ended: ended.promise,
      send: async (frame) => this.#onFrame(peer, frame),
      receive: async () => {
        if (answered) return undefined;
        answered = true;
        return REFUSED;
      },
      close: async () => ended.resolve(),
      abort: () => ended.resolve(),
    };
  }

  isConnected(): boolean {
    return true;
  }

  connectedPeers(): readonly string[] {
    return [];
  }

  subscribers(): readonly string[] {
    return [];
  }

  peerRecord(): Uint8Array {
    return new Uint8Array(200);
  }

  connectionCounts(): ReturnType<Underlay['connectionCounts']> {
    return { inbound: 0, outbound: 0, refused: 0 };
  }

  foreignPeers(): readonly [] {
    return [];
  }

  multiaddrs(): readonly string[] {
    return [];
  }

  async meet(): Promise<void> {}

  async publish(): Promise<void> {}

  handle(_protocol: string, _limits: ProtocolLimits, _handler: (channel: Channel) => void): void {}

  listen(_listener: UnderlayListener): void {}

  async start(): Promise<void> {}

  async stop(): Promise<void> {}
}
