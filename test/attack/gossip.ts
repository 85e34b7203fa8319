import type { BenchPeer } from '../bench/bench-peer.ts';
import type { Target } from './attack.ts';
import { atRate, pause } from './persistence.ts';

const LOOK_MS = 20;

/** Resolves when gossip of this peer on this topic reaches the node it is linked to. */
export async function hears(
  { underlay }: BenchPeer,
  target: Target,
  topic: string,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && !underlay.subscribers(topic).includes(target.peerId))
    await pause(LOOK_MS, signal);
}

/** Publishes what it is given, which should be new each time: gossip brings nothing twice. */
export function publishAt(
  { underlay }: BenchPeer,
  topic: string,
  perSecond: number,
  signal: AbortSignal,
  message: (index: number) => Uint8Array | undefined,
): Promise<void> {
  return atRate(perSecond, perSecond, signal, async (index) => {
    const bytes = message(index);
    if (bytes !== undefined) await underlay.publish(topic, bytes);
  });
}
