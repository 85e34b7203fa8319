import { envelopeOf } from '../../../src/messages/envelope.ts';
import type { Attack } from '../attack.ts';
import { framed, servingList } from '../made-up.ts';
import { again, push } from '../persistence.ts';

const ITEMS = 4096;
const LISTS = 8;
const STREAMS = 4;
const LONGEST_PUSH_MS = 2000;

/** Each line is a look-up, and the answer is signed. */
export const servingFromNobody: Attack = {
  name: 'serving-from-nobody',
  about: 'signed lists of 4 096 unknown executions, again and again, by a peer without a contract',
  protocol: 'serving',
  quick: true,
  prepare: async (scene) => {
    const host = await scene.host();
    const lists = Array.from({ length: LISTS }, (_, number) =>
      framed('serving-list', envelopeOf(host.notary.sign('serving-list', servingList(number + 1, ITEMS)))),
    );
    return async (signal) => {
      const lanes = scene.targets.flatMap((target) => Array.from({ length: STREAMS }, () => target));
      await Promise.all(
        lanes.map((target) =>
          again(
            signal,
            async () => {
              const stream = await host.open(target, scene.names.serving, signal);
              scene.count('streams');
              try {
                for (const list of lists) {
                  await push(stream, list, AbortSignal.any([signal, AbortSignal.timeout(LONGEST_PUSH_MS)]));
                  scene.count('lists');
                }
              } finally {
                stream.abort(new Error('on to the next'));
              }
            },
            (error) => scene.refused(error),
          ),
        ),
      );
    };
  },
};
