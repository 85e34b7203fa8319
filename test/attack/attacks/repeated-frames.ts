import { errandAttack } from '../errands.ts';

const said = new Map<string, Uint8Array>();

/** Well-formed, signed, and the very same bytes each time. */
export const repeatedFrames = errandAttack(
  {
    name: 'repeated-frames',
    about: 'the same well-formed first frame again and again, 1 000 times a second',
    protocol: 'all protocols of streams',
  },
  1000,
  undefined,
  (road, { notary }) => {
    const bytes = said.get(road.name) ?? road.opening(notary);
    said.set(road.name, bytes);
    return bytes;
  },
);
