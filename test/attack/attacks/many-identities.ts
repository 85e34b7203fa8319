import { crowdAttack } from '../crowd.ts';
import { HOSTILE_ADDRESS } from '../hostile-host.ts';

export const manyIdentities = crowdAttack(
  {
    name: 'many-identities',
    about: '60 identities at one address connect, ask on every protocol, leave and come again',
    protocol: 'connections, all protocols of streams',
  },
  () => HOSTILE_ADDRESS,
);
