import type { Stream } from '@libp2p/interface';
import type { Attack, Scene } from './attack.ts';
import type { HostileHost } from './hostile-host.ts';
import { again, pause } from './persistence.ts';
import { type Road, roads } from './roads.ts';

const STREAMS_PER_ROAD = 48;
const HOSTS = 4;
const BEFORE_NEXT_TRY_MS = 200;

/** An attack that holds as many streams of each protocol as it gets, and does the same on each of them. */
export function lingeringAttack(
  attack: Pick<Attack, 'name' | 'about' | 'protocol' | 'quick'>,
  dwell: (stream: Stream, road: Road, host: HostileHost, signal: AbortSignal) => Promise<void>,
): Attack {
  return {
    ...attack,
    prepare: async (scene: Scene) => {
      const hosts = await Promise.all(Array.from({ length: HOSTS }, () => scene.host()));
      return async (signal) => {
        const lanes = hosts.flatMap((host) =>
          roads(scene).flatMap((road) => Array.from({ length: STREAMS_PER_ROAD }, () => ({ host, road }))),
        );
        await Promise.all(
          lanes.map(({ host, road }) =>
            again(
              signal,
              async () => {
                try {
                  const stream = await host.open(road.target, road.protocol, signal);
                  scene.count('streams');
                  await dwell(stream, road, host, signal);
                  stream.abort(new Error('over'));
                } finally {
                  await pause(BEFORE_NEXT_TRY_MS, signal);
                }
              },
              (error) => scene.refused(error),
            ),
          ),
        );
      };
    },
  };
}

export function untilClosed(stream: Stream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stream.status !== 'open') resolve();
    stream.addEventListener('close', () => resolve(), { once: true });
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
