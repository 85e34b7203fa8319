import { randomBytes } from 'node:crypto';
import { encodeCanonical } from '../../../src/lib/canonical.ts';
import { encodeFrame as withLength } from '../../../src/network/libp2p/frame-decoder.ts';
import { errandAttack } from '../errands.ts';
import { framed } from '../made-up.ts';

const BYTES = 48 * 1024;
const DEEP_LIST = 0x81;
const ENDLESS_LIST = [0x9b, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff];
const EMPTY_TEXT = 0x60;
const LONG_TEXT = 5000;

/** Everything that a decoder has to find out for itself. */
const KINDS: readonly (() => Uint8Array)[] = [
  () => withLength(randomBytes(BYTES)),
  () => withLength(new Uint8Array(BYTES).fill(DEEP_LIST)),
  () => withLength(Uint8Array.from([...ENDLESS_LIST, ...new Uint8Array(BYTES).fill(EMPTY_TEXT)])),
  () => withLength(encodeCanonical({ kind: 'nothing', body: 'x'.repeat(BYTES) })),
  () => withLength(encodeCanonical(Array.from({ length: LONG_TEXT }, (_, at) => `${at}`))),
  () => framed('advert', { payload: randomBytes(BYTES), signature: randomBytes(64), signer: 'nobody' }),
  () => framed('proposal', Object.fromEntries(Array.from({ length: LONG_TEXT }, (_, at) => [`k${at}`, at]))),
];

export const malformedFrames = errandAttack(
  {
    name: 'malformed-frames',
    about: '48 kB of each kind of nonsense as the first frame, 1 000 a second',
    protocol: 'all protocols of streams',
    quick: true,
  },
  1000,
  undefined,
  (_road, _host, index) => KINDS[index % KINDS.length]?.() ?? randomBytes(BYTES),
);
