import { randomBytes } from 'node:crypto';
import type { Attack } from '../attack.ts';
import { again, atRate } from '../persistence.ts';

const PER_SECOND = 1000;
const GOSSIP = '/meshsub/1.1.0';
const IDS = 60;
const ID_BYTES = 20;
const MOST_UNSENT_BYTES = 256 * 1024;

function field(number: number, bytes: Uint8Array | string): Buffer {
  const content = Buffer.from(bytes);
  return Buffer.concat([varint((number << 3) | 2), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

const ids = (number: number): Buffer =>
  Buffer.concat(Array.from({ length: IDS }, () => field(number, randomBytes(ID_BYTES))));
const subscribed = Buffer.from([0x08, 0x01]);

/** What gossip says about itself: offers, wishes, grafts, prunes, and subscriptions. Nothing in it is signed. */
const KINDS: readonly ((topic: string) => Buffer)[] = [
  (topic) => field(3, field(1, Buffer.concat([field(1, topic), ids(2)]))),
  () => field(3, field(2, ids(1))),
  (topic) => field(3, Buffer.concat([field(3, field(1, topic)), field(4, field(1, topic))])),
  () => field(1, Buffer.concat([subscribed, field(2, `/made/up/${randomBytes(8).toString('hex')}`)])),
  (topic) => field(2, Buffer.concat([field(2, randomBytes(1000)), field(4, topic)])),
];

export const gossipControl: Attack = {
  name: 'gossip-control',
  about:
    'offers and wishes of messages that do not exist, grafts, prunes, topics and nonsense, 1 000 a second',
  protocol: 'gossipsub',
  prepare: async (scene) => {
    const host = await scene.host();
    return async (signal) => {
      await Promise.all(
        scene.targets.map((target) =>
          again(
            signal,
            async () => {
              const stream = await host.open(target, GOSSIP, signal);
              const closed = new AbortController();
              stream.addEventListener('close', () => closed.abort(), { once: true });
              const open = AbortSignal.any([signal, closed.signal]);
              await atRate(PER_SECOND / scene.targets.length, PER_SECOND, open, async (index) => {
                if (stream.writeBufferLength > MOST_UNSENT_BYTES) return;
                const message = KINDS[index % KINDS.length]?.(scene.names.advertsTopic) ?? Buffer.of();
                stream.send(Buffer.concat([varint(message.length), message]));
                scene.count('exchanges');
              });
              throw new Error('the stream is closed');
            },
            (error) => scene.refused(error),
          ),
        ),
      );
    };
  },
};
