import type { Attack } from '../attack.ts';
import { again, push } from '../persistence.ts';

const BYTES = 2 * 1024 * 1024;
/** A node that has enough reads no further: a fresh stream is read again. */
const LONGEST_PUSH_MS = 500;

/** A length of 0 is one byte: two megabytes of zeros are two million frames. */
export const emptyFrames: Attack = {
  name: 'empty-frames',
  about:
    'fresh streams of two million empty frames each, again and again: time to cut frames and to deal with them',
  protocol: 'serving, contract',
  quick: true,
  prepare: async (scene) => {
    const zeros = new Uint8Array(BYTES);
    const host = await scene.host();
    const roads = [
      { target: scene.requester, protocol: scene.names.serving },
      { target: scene.requester, protocol: scene.names.contract },
      { target: scene.provider, protocol: scene.names.serving },
      { target: scene.provider, protocol: scene.names.contract },
    ];
    return async (signal) => {
      await Promise.all(
        roads.map(({ target, protocol }) =>
          again(
            signal,
            async () => {
              const stream = await host.open(target, protocol, signal);
              scene.count('streams');
              try {
                await push(stream, zeros, AbortSignal.any([signal, AbortSignal.timeout(LONGEST_PUSH_MS)]));
              } finally {
                scene.count('megabytes', (BYTES - stream.writeBufferLength) / 1e6);
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
