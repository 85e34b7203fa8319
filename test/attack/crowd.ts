import type { Attack, Scene } from './attack.ts';
import { again, pause } from './persistence.ts';
import { roads } from './roads.ts';

const PEOPLE = 60;
const TOGETHER_MS = 300;

/** An attack of many identities: each connects, asks on every protocol at once, leaves and comes again. */
export function crowdAttack(
  attack: Pick<Attack, 'name' | 'about' | 'protocol'>,
  addressOf: (index: number) => string,
): Attack {
  return {
    ...attack,
    prepare: async (scene: Scene) => {
      const hosts = await Promise.all(
        Array.from({ length: PEOPLE }, (_, index) => scene.host({ localAddress: addressOf(index) })),
      );
      return async (signal) => {
        await Promise.all(
          hosts.map((host, index) =>
            again(
              signal,
              async () => {
                const target = scene.targets[index % scene.targets.length];
                if (target === undefined) return;
                await host.connect(target, signal);
                scene.count('connections');
                const ways = roads(scene).filter((road) => road.target === target);
                await Promise.allSettled(
                  ways.map(async (road) => {
                    const stream = await host.open(target, road.protocol, signal);
                    stream.send(road.opening(host.notary));
                    scene.count('streams');
                  }),
                );
                await pause(TOGETHER_MS, signal);
                host.leave();
              },
              (error) => {
                scene.refused(error);
                host.leave();
              },
            ),
          ),
        );
      };
    },
  };
}
