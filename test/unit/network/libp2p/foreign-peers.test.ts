import { describe, expect, it } from 'vitest';
import type { LogFields, Logger } from '../../../../src/lib/logger.ts';
import { foreignNetworks } from '../../../../src/network/foreign-networks.ts';
import { foreignness, ForeignPeers } from '../../../../src/network/libp2p/foreign-peers.ts';
import type { ForeignPeer } from '../../../../src/network/underlay.ts';

const OWN = ['/ipfs/id/1.0.0', '/bidmesh/lab/kad/1.0.0', '/bidmesh/lab/negotiation/2'];
const OTHER = ['/ipfs/id/1.0.0', '/bidmesh/elsewhere/negotiation/2'];
const OLDER = ['/bidmesh/lab/kad/1.0.0', '/bidmesh/lab/negotiation/1', '/bidmesh/lab/content/1'];
const NEWER = ['/bidmesh/lab/kad/1.0.0', '/bidmesh/lab/negotiation/13'];
const PROTOCOLS = new Set(['/bidmesh/lab/negotiation/2', '/bidmesh/lab/content/2']);

interface Told extends LogFields {
  readonly message: string;
}

function scene(): { readonly peers: ForeignPeers; readonly told: Told[] } {
  const told: Told[] = [];
  const logger = {
    warn: (message: string, fields?: LogFields) => told.push({ message, ...fields }),
  } as unknown as Logger;
  const isNamed = (peer: string): boolean => peer.startsWith('named');
  return { peers: new ForeignPeers({ network: 'lab', protocols: PROTOCOLS, logger, isNamed }), told };
}

describe('what stands between this node and a peer', () => {
  it.each<[readonly string[], Omit<ForeignPeer, 'peer'> | undefined]>([
    [OWN, undefined],
    [OTHER, { network: 'elsewhere' }],
    [[...OTHER, ...OWN], undefined],
    [OLDER, { network: 'lab', release: 'older' }],
    [NEWER, { network: 'lab', release: 'newer' }],
    [[...OLDER, ...NEWER], { network: 'lab', release: 'newer' }],
    [[...NEWER, '/bidmesh/lab/content/2'], undefined],
    [[...OTHER, ...OLDER], { network: 'lab', release: 'older' }],
    [['/bidmesh/lab/kad/1.0.0'], undefined],
    [['/ipfs/kad/1.0.0'], {}],
    [['/bidmesh/\u001b[31m/x/1', '/bidmesh//x/1', '/bidmesh/-/x/1'], {}],
    [[], {}],
  ])('with %j is %j', (protocols, between) => {
    expect(foreignness(protocols, 'lab', PROTOCOLS)).toEqual(between);
  });
});

describe('peers of other networks and releases', () => {
  it('are known until they are gone or turn out to be of this one', () => {
    const { peers } = scene();
    peers.identified('a', OWN);
    peers.identified('b', OTHER);
    peers.identified('c', []);
    peers.identified('d', OLDER);
    expect(peers.list()).toEqual([
      { peer: 'b', network: 'elsewhere' },
      { peer: 'c' },
      { peer: 'd', network: 'lab', release: 'older' },
    ]);
    peers.identified('c', OWN);
    peers.identified('d', OWN);
    peers.gone('b');
    expect(peers.list()).toEqual([]);
  });

  it('are told of where the user named them, once each', () => {
    const { peers, told } = scene();
    for (const peer of ['a', 'named', 'named', 'named too']) peers.identified(peer, OTHER);
    peers.identified('named and no node', ['/ipfs/id/1.0.0']);
    peers.identified('named and ours', OWN);
    peers.identified('named and older', OLDER);
    expect(told).toEqual([
      {
        message: expect.stringContaining('another network'),
        peer: 'named',
        network: 'elsewhere',
        own: 'lab',
      },
      {
        message: expect.stringContaining('another network'),
        peer: 'named too',
        network: 'elsewhere',
        own: 'lab',
      },
      { message: expect.stringContaining('no Bidmesh node'), peer: 'named and no node' },
      { message: expect.stringContaining('an older release'), peer: 'named and older', network: 'lab' },
    ]);
  });

  it('are told of by their release, which all others of it share', () => {
    const { peers, told } = scene();
    for (const peer of ['a', 'b']) peers.identified(peer, OLDER);
    for (const peer of ['c', 'd']) peers.identified(peer, NEWER);
    expect(told.map(({ peer, message }) => `${String(peer)}: ${message}`)).toEqual([
      'a: a peer of this network runs an older release and is not heard: it has to be updated',
      'c: a peer of this network runs a newer release and will never answer: update this node',
    ]);
  });

  it('have networks that are named once each, and not without end', () => {
    const of = (network?: string): ForeignPeer =>
      network === undefined ? { peer: 'x' } : { peer: 'x', network };
    const older: ForeignPeer = { peer: 'x', network: 'lab', release: 'older' };
    expect(foreignNetworks([of('b'), of('a'), of(), older, of('b')])).toEqual(['a', 'b']);
    expect(foreignNetworks(Array.from({ length: 100 }, (_, index) => of(`n${index}`)))).toHaveLength(8);
  });
});
