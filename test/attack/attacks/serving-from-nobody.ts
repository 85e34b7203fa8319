import { envelopeOf } from '../../../src/messages/envelope.ts';
import type { Attack } from '../attack.ts';
import type { HostileHost } from '../hostile-host.ts';
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
    const list = servingList(1, ITEMS);
    const signed = new Map<string, Uint8Array>();
    // Items of one kind do for all: what costs is that each has to be looked up.
    const listOf = ({ notary }: HostileHost): Uint8Array => {
      const known =
        signed.get(notary.self) ?? framed('serving-list', envelopeOf(notary.sign('serving-list', list)));
      signed.set(notary.self, known);
      return known;
    };
    listOf(host);
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
                for (let index = 0; index < LISTS; index += 1) {
                  await push(
                    stream,
                    listOf(host),
                    AbortSignal.any([signal, AbortSignal.timeout(LONGEST_PUSH_MS)]),
                  );
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
