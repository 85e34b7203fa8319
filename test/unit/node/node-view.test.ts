import { expect, it } from 'vitest';
import type { HeldPeer } from '../../../src/network/allowances/held-peers.ts';
import { createNodeView, type NodeViewNeeds } from '../../../src/node/view.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';
import { SeededRandom } from '../../simulation/seeded-random.ts';
import { SimulatedNetwork } from '../../simulation/simulated-network.ts';

it('shows the peers that are held back, with what they did, and nothing where there are none', () => {
  const clock = new FakeClock();
  const { underlay } = new SimulatedNetwork(clock, new SeededRandom('view')).node('self');
  let held: readonly HeldPeer[] = [];
  const needs: Omit<NodeViewNeeds, 'registry'> = {
    identity: {
      peerId: 'self',
      did: 'did:key:self',
      publicKey: new Uint8Array(),
      privateKeyRaw: new Uint8Array(),
    },
    network: 'testnet',
    version: '0',
    underlay,
    provider: undefined,
    clock,
    bootstrapCount: 0,
    heldBack: () => held,
    damage: () => ({ count: 0, first: [] }),
    subscribers: () => 0,
  };
  const view = createNodeView(needs as NodeViewNeeds);
  expect(view.status()).not.toHaveProperty('heldBack');
  held = [
    { peer: 'a', prefix: '192.0.2', code: 'MALFORMED', times: 3, atMs: 1 },
    { peer: 'b', prefix: undefined, code: 'OVER_ALLOWANCE', times: 1, atMs: 0 },
    ...Array.from({ length: 62 }, (_, index) => ({
      peer: `c${index}`,
      prefix: undefined,
      code: 'SURPLUS',
      times: 1,
      atMs: 0,
    })),
  ];
  const { heldBack } = view.status();
  expect(heldBack?.slice(0, 2)).toEqual([
    { peerId: 'a', prefix: '192.0.2', code: 'MALFORMED', times: 3 },
    { peerId: 'b', code: 'OVER_ALLOWANCE', times: 1 },
  ]);
  expect(heldBack).toHaveLength(16);
});
