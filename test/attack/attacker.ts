import { randomBytes } from 'node:crypto';
import { identityOf } from '../../src/identity/index.ts';
import { protocolNames } from '../../src/network/names.ts';
import { createBenchPeer } from '../bench/bench-peer.ts';
import type { Scene, Target } from './attack.ts';
import { ATTACKS } from './attacks/index.ts';
import { createHostileHost, HOSTILE_ADDRESS, loopbackOnly, tcpFrom } from './hostile-host.ts';

/** What the stage tells an attacker. */
export interface AttackOrder {
  readonly name: string;
  readonly network: string;
  readonly provider: Target;
  readonly requester: Target;
}

/** What an attacker says at its end: how much it did of what. */
export type AttackCounts = Readonly<Record<string, number>>;

export type AttackerWord = 'go' | 'stop';

/** The process of one attack: gets ready, says so, goes on from one word to the next, and tells what it did. */
async function attend(order: AttackOrder): Promise<void> {
  const attack = ATTACKS.find(({ name }) => name === order.name);
  if (attack === undefined) throw new RangeError(`there is no attack called ${order.name}`);
  const counts: Record<string, number> = {};
  const targets = [order.provider, order.requester];
  for (const { address } of targets) loopbackOnly(address);
  const count = (what: string, by = 1): void => {
    counts[what] = (counts[what] ?? 0) + by;
  };
  const scene: Scene = {
    ...order,
    names: protocolNames(order.network),
    targets,
    host: (options = {}) => createHostileHost(order.network, options, () => count('new identities')),
    peer: (target, options) =>
      createBenchPeer(identityOf(randomBytes(32)), order.network, loopbackOnly(target.address).toString(), [
        tcpFrom(options?.localAddress ?? HOSTILE_ADDRESS),
      ]),
    count,
    refused: (error) => count(`refused (${error instanceof Error ? error.name : 'Error'})`),
  };
  const run = await attack.prepare(scene);
  const over = new AbortController();
  process.on('message', (word: AttackerWord) => {
    if (word === 'stop') {
      over.abort();
      process.send?.(counts satisfies AttackCounts);
      return;
    }
    run(over.signal).catch((error: unknown) => {
      if (over.signal.aborted) return;
      console.error(error);
      process.exit(1);
    });
  });
  process.send?.('ready');
}

if (import.meta.main) {
  process.once('disconnect', () => process.exit());
  // What a refused stream or connection throws late is the attacker's own affair.
  process.on('unhandledRejection', () => {});
  process.on('uncaughtException', () => {});
  const [, , order = '{}'] = process.argv;
  await attend(JSON.parse(order) as AttackOrder).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
}
