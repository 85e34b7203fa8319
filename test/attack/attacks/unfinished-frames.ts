import type { Stream } from '@libp2p/interface';
import type { Attack } from '../attack.ts';
import { again } from '../persistence.ts';
import { roads } from '../roads.ts';

/** The length of a frame as it stands before it: 60 000 bytes, which every protocol takes. */
const PROMISED = Uint8Array.of(0xe0, 0xd4, 0x03);
const STREAMS_PER_ROAD = 2;
const GOSSIP = '/meshsub/1.1.0';
const FILLER_BYTES = 56_000;
/** A varint of three bytes says how long the filler is, and another one how long the field in it. */
const LENGTH_BYTES = 3;
const MOST_UNSENT_BYTES = 1024 * 1024;

/** An exchange of gossip with nothing in it but a field that nobody knows: read, and thrown away. */
function filler(): Uint8Array {
  const field = [0xfa, 0x01];
  const bytes = new Uint8Array(FILLER_BYTES);
  const inside = FILLER_BYTES - LENGTH_BYTES;
  bytes.set([...varint(inside), ...field, ...varint(inside - field.length - LENGTH_BYTES)]);
  return bytes;
}

function varint(value: number): readonly number[] {
  return [(value & 0x7f) | 0x80, ((value >> 7) & 0x7f) | 0x80, value >> 14];
}

/** Whoever keeps the byte as a part of what it came in keeps the filler with it. */
export const unfinishedFrames: Attack = {
  name: 'unfinished-frames',
  about: 'one byte of a frame at a time, each in a packet of 56 kB of something else, on many streams',
  protocol: 'all protocols of streams',
  quick: true,
  prepare: async (scene) => {
    const host = await scene.host();
    const byte = Uint8Array.of(1);
    const waste = filler();
    return async (signal) => {
      await Promise.all(
        scene.targets.map((target) =>
          again(
            signal,
            async () => {
              const ways = roads(scene).filter((road) => road.target === target);
              const gossip = await host.open(target, GOSSIP, signal);
              const streams: Stream[] = [];
              for (const { protocol } of ways) {
                for (let index = 0; index < STREAMS_PER_ROAD; index += 1) {
                  const stream = await host.open(target, protocol, signal);
                  stream.send(PROMISED);
                  streams.push(stream);
                }
              }
              scene.count('streams', streams.length);
              while (!signal.aborted && streams.some(({ status }) => status === 'open')) {
                if (gossip.status !== 'open') throw new Error('the filler is not taken');
                for (const stream of streams) {
                  if (stream.status !== 'open') continue;
                  stream.send(byte);
                  gossip.send(waste);
                  scene.count('bytes');
                  await nextTurn(gossip);
                }
              }
              for (const stream of streams) stream.abort(new Error('over'));
            },
            (error) => {
              scene.refused(error);
              host.leave(target);
            },
          ),
        ),
      );
    };
  },
};

/** What one turn writes leaves as one packet. */
async function nextTurn(stream: Stream): Promise<void> {
  do await new Promise((resolve) => setImmediate(resolve));
  while (stream.status === 'open' && stream.writeBufferLength > MOST_UNSENT_BYTES);
}
