import type { Attack } from '../attack.ts';
import { errandTo } from '../errands.ts';
import { atRate } from '../persistence.ts';

const PER_SECOND = 500;
const AT_ONCE = 4;
const PUSH = '/ipfs/id/push/1.0.0';
const PROTOCOL_FIELD = (3 << 3) | 2;
const PROTOCOLS = 100;

function field(tag: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([tag, bytes.length]), bytes]);
}

/** Each says that the peer speaks something else now. */
function push(index: number): Uint8Array {
  const message = Buffer.concat(
    Array.from({ length: PROTOCOLS }, (_, at) => field(PROTOCOL_FIELD, `/made/up/${index}/${at}`)),
  );
  const length = [(message.length & 0x7f) | 0x80, message.length >> 7];
  return Buffer.concat([Buffer.from(length), message]);
}

export const identifyQuestions: Attack = {
  name: 'identify-questions',
  about: 'asks who the node is, and says who it is itself though nobody asked: 500 times a second',
  protocol: 'identify of libp2p',
  prepare: async (scene) => {
    const host = await scene.host();
    return (signal) =>
      atRate(PER_SECOND, AT_ONCE, signal, async (index) => {
        const target = scene.targets[index % scene.targets.length];
        if (target === undefined) return;
        const asks = index % 4 < 2;
        try {
          await errandTo(
            host,
            target,
            asks ? '/ipfs/id/1.0.0' : PUSH,
            asks ? new Uint8Array() : push(index),
            signal,
          );
          scene.count(asks ? 'questions' : 'pushes');
        } catch (error) {
          scene.refused(error);
        }
      });
  },
};
