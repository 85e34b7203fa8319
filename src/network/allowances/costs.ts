import type { NetworkLimits } from '../options.ts';

/** What one protocol costs, in milliseconds of a processor, before anything of it is decoded. */
export interface ProtocolCost {
  /** Opening a channel: the transport's handshake of it, and its end. */
  readonly channelMs: number;
  /** Each frame: decoding, the signature in it, and what answering it takes. */
  readonly frameMs: number;
  readonly kibMs: number;
  /** Each KiB of a stream that it makes this node send; what answers a frame is in the cost of that. */
  readonly sentKibMs: number;
}

export type PaidProtocol = keyof NetworkLimits['protocols'];

/** One row a protocol; the same table is in specs/protection.md, with how it was measured. */
export const COSTS: Readonly<Record<PaidProtocol, ProtocolCost>> = {
  request: { channelMs: 0.4, frameMs: 0.2, kibMs: 0.005, sentKibMs: 0 },
  negotiation: { channelMs: 0.4, frameMs: 0.2, kibMs: 0.005, sentKibMs: 0 },
  contract: { channelMs: 0.4, frameMs: 0.6, kibMs: 0.005, sentKibMs: 0 },
  serving: { channelMs: 0.4, frameMs: 0.5, kibMs: 0.02, sentKibMs: 0 },
  content: { channelMs: 0.4, frameMs: 0.2, kibMs: 0.005, sentKibMs: 0.006 },
  logs: { channelMs: 0.4, frameMs: 0.2, kibMs: 0.005, sentKibMs: 0.006 },
};

/** What a gossip message of somebody else costs whom it reaches: receiving, decoding, one signature. */
export const HANDED_ON_MS = 0.3;

const KIB = 1024;

export function frameCostMs({ frameMs, kibMs }: ProtocolCost, bytes: number): number {
  return frameMs + (kibMs * bytes) / KIB;
}

export function sendingCostMs({ sentKibMs }: ProtocolCost, bytes: number): number {
  return (sentKibMs * bytes) / KIB;
}
