import { randomBytes } from 'node:crypto';
import type { Attack } from '../attack.ts';
import { atRate } from '../persistence.ts';

const PER_SECOND = 500;
const AT_ONCE = 32;
const HELLO = line('/multistream/1.0.0');
const NAMES_PER_STREAM = 200;
const LONGEST_NAME = 900;
const LIST = line('ls');

function line(text: string): Uint8Array {
  const bytes = Buffer.from(`${text}\n`);
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7];
  return Buffer.concat([Buffer.from(length), bytes]);
}

/** What a stream says before it has a protocol. */
const KINDS: readonly (() => Uint8Array)[] = [
  () => randomBytes(2048),
  () => Buffer.concat([HELLO, ...Array.from({ length: NAMES_PER_STREAM }, () => LIST)]),
  () =>
    Buffer.concat([
      HELLO,
      ...Array.from({ length: NAMES_PER_STREAM }, () => line(`/${'x'.repeat(LONGEST_NAME)}/1`)),
    ]),
  () => HELLO,
  () => new Uint8Array(),
];

export const protocolChoice: Attack = {
  name: 'protocol-choice',
  about:
    'streams that never come to a protocol: nonsense, lists, 200 unknown names each, silence; 500 a second',
  protocol: 'multistream',
  prepare: async (scene) => {
    const hosts = await Promise.all(
      scene.targets.map(async (target) => ({ target, host: await scene.host() })),
    );
    return (signal) =>
      atRate(PER_SECOND, AT_ONCE, signal, async (index) => {
        const way = hosts[index % hosts.length];
        if (way === undefined) return;
        try {
          await way.host.connect(way.target, signal);
          const stream = await way.host.wire().muxer.createStream();
          stream.send(KINDS[Math.floor(index / 2) % KINDS.length]?.() ?? HELLO);
          scene.count('streams');
          stream.addEventListener('close', () => scene.count('ended by the node'));
        } catch (error) {
          scene.refused(error);
          way.host.leave();
        }
      });
  },
};
