import { describe, expect, it } from 'vitest';
import type { LogFields, Logger } from '../../../../src/lib/logger.ts';
import { foreignNetworks } from '../../../../src/network/foreign-networks.ts';
import { ForeignPeers, networkOf } from '../../../../src/network/libp2p/foreign-peers.ts';

const OWN = ['/ipfs/id/1.0.0', '/bidmesh/lab/negotiation/1'];
const OTHER = ['/ipfs/id/1.0.0', '/bidmesh/elsewhere/negotiation/1'];

function scene(): { readonly peers: ForeignPeers; readonly told: (LogFields | undefined)[] } {
  const told: (LogFields | undefined)[] = [];
  const logger = { warn: (_: string, fields?: LogFields) => told.push(fields) } as unknown as Logger;
  return {
    peers: new ForeignPeers({ network: 'lab', logger, isNamed: (peer) => peer.startsWith('named') }),
    told,
  };
}

describe('the network of a peer', () => {
  it.each([
    [OWN, 'lab'],
    [OTHER, 'elsewhere'],
    [[...OTHER, ...OWN], 'lab'],
    [['/ipfs/kad/1.0.0'], undefined],
    [['/bidmesh/\u001b[31m/x/1', '/bidmesh//x/1', '/bidmesh/-/x/1'], undefined],
    [[], undefined],
  ])('with %j is %s', (protocols, network) => {
    expect(networkOf(protocols, 'lab')).toBe(network);
  });
});

describe('peers of other networks', () => {
  it('are known until they are gone or turn out to be of this one', () => {
    const { peers } = scene();
    peers.identified('a', OWN);
    peers.identified('b', OTHER);
    peers.identified('c', []);
    expect(peers.list()).toEqual([{ peer: 'b', network: 'elsewhere' }, { peer: 'c' }]);
    peers.identified('c', OWN);
    peers.gone('b');
    expect(peers.list()).toEqual([]);
  });

  it('are told of where the user named them, once each', () => {
    const { peers, told } = scene();
    for (const peer of ['a', 'named', 'named', 'named too']) peers.identified(peer, OTHER);
    peers.identified('named and no node', ['/ipfs/id/1.0.0']);
    peers.identified('named and ours', OWN);
    expect(told).toEqual([
      { peer: 'named', network: 'elsewhere', own: 'lab' },
      { peer: 'named too', network: 'elsewhere', own: 'lab' },
      { peer: 'named and no node' },
    ]);
  });

  it('have networks that are named once each, and not without end', () => {
    const of = (network?: string): { peer: string; network?: string } =>
      network === undefined ? { peer: 'x' } : { peer: 'x', network };
    expect(foreignNetworks([of('b'), of('a'), of(), of('b')])).toEqual(['a', 'b']);
    expect(foreignNetworks(Array.from({ length: 100 }, (_, index) => of(`n${index}`)))).toHaveLength(8);
  });
});
