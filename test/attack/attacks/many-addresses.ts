import { crowdAttack } from '../crowd.ts';

/** From networks of their own, so that no budget of a network sees them together. */
const FIRST = 70;

export const manyAddresses = crowdAttack(
  {
    name: 'many-addresses',
    about:
      '60 identities, each in a network of its own, connect, ask on every protocol, leave and come again',
    protocol: 'connections, all protocols of streams',
  },
  (index) => `127.${FIRST + (index % 2)}.${index}.1`,
);
