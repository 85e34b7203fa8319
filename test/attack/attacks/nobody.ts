import type { Attack } from '../attack.ts';

/** What all the others are measured beside: the bounds must hold where nobody does anything. */
export const nobody: Attack = {
  name: 'nobody',
  about: 'does nothing: what the measuring itself comes to on this machine',
  protocol: 'none',
  quick: true,
  isIdle: true,
  prepare: async () => async () => {},
};
