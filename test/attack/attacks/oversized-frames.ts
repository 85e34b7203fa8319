import { errandAttack } from '../errands.ts';

/** A length of 128 MiB, then a quarter of a megabyte of it. */
const PROMISED = [0xff, 0xff, 0xff, 0x3f];
const BYTES = 256 * 1024;

export const oversizedFrames = errandAttack(
  {
    name: 'oversized-frames',
    about: 'frames that say they are 128 MiB long, 500 a second',
    protocol: 'all protocols of streams',
  },
  500,
  undefined,
  () => {
    const bytes = new Uint8Array(BYTES);
    bytes.set(PROMISED);
    return bytes;
  },
);
