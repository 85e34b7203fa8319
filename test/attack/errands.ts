import type { Stream } from '@libp2p/interface';
import type { Attack, Scene, Target } from './attack.ts';
import type { HostileHost } from './hostile-host.ts';
import { atRate, push } from './persistence.ts';
import { type Road, type RoadName, roads } from './roads.ts';

/** An errand ends when the node has had its time to answer. */
const LONGEST_ERRAND_MS = 1500;
/** Below what one peer may have open of each protocol: what is refused for being too many is another attack. */
const AT_ONCE = 24;

/** Opens a stream, sends the bytes, ends its half and waits for the end of the other one. */
export async function errandTo(
  host: HostileHost,
  target: Target,
  protocol: string,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const soon = AbortSignal.any([signal, AbortSignal.timeout(LONGEST_ERRAND_MS)]);
  const stream = await host.open(target, protocol, soon);
  try {
    await push(stream, bytes, soon);
    await stream.close({ signal: soon });
    await ended(stream, soon);
  } finally {
    if (stream.status !== 'closed') stream.abort(new Error('over'));
  }
}

function ended(stream: Stream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stream.status === 'closed' || stream.readableEnded) return resolve();
    for (const name of ['end', 'close'] as const)
      stream.addEventListener(name, () => resolve(), { once: true });
    signal.addEventListener('abort', () => resolve(), { once: true });
    return undefined;
  });
}

/** An attack that runs errands on some roads, all of them together at a steady rate. */
export function errandAttack(
  attack: Pick<Attack, 'name' | 'about' | 'protocol' | 'quick'>,
  perSecond: number,
  names: readonly RoadName[] | undefined,
  bytesFor: (road: Road, host: HostileHost, index: number) => Uint8Array,
): Attack {
  return {
    ...attack,
    prepare: async (scene: Scene) => {
      const ways = roads(scene, names);
      const host = await scene.host();
      return (signal) =>
        atRate(perSecond, AT_ONCE, signal, async (index) => {
          const road = ways[index % ways.length];
          if (road === undefined) return;
          try {
            await errandTo(host, road.target, road.protocol, bytesFor(road, host, index), signal);
            scene.count('errands');
          } catch (error) {
            if (!signal.aborted) scene.refused(error);
          }
        });
    },
  };
}
