import { privateKeyFromRaw } from '@libp2p/crypto/keys';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createHost, type Host, type HostNeeds } from '../../src/network/libp2p/host.ts';
import { defaultLibp2pLimits } from '../../src/network/libp2p/options.ts';
import { Traffic } from '../../src/network/libp2p/traffic.ts';
import { libp2pOptions } from './libp2p-nodes.ts';
import { newPrivateKey } from './private-key.ts';

/** Time that passes `times` as fast. */
export function fastClock(times: number): Clock {
  return { ...systemClock, after: (delayMs, fire) => systemClock.after(delayMs / times, fire) };
}

/** A bare libp2p node with the settings of production, not started. */
export function newHost(needs: Partial<HostNeeds> = {}): Promise<Host> {
  const privateKey = privateKeyFromRaw(newPrivateKey());
  if (privateKey.type !== 'Ed25519') throw new Error('not an Ed25519 key');
  return createHost(libp2pOptions(), {
    privateKey,
    clock: systemClock,
    logger: silentLogger,
    transports: undefined,
    topics: [],
    traffic: new Traffic({
      ...defaultLibp2pLimits,
      clock: systemClock,
      connectionsOf: () => [],
      letGo: () => {},
      worked: () => {},
      workedEarly: () => {},
      faulted: () => {},
    }),
    denyDial: () => false,
    inbound: { denies: () => false, shookHands: () => {} },
    denyPeer: () => false,
    isUnread: () => false,
    foundLocally: () => {},
    ...needs,
  });
}
