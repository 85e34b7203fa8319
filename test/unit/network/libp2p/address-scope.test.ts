import { multiaddr, type Multiaddr } from '@multiformats/multiaddr';
import { describe, expect, it } from 'vitest';
import {
  byWidestFirst,
  mayDial,
  prefixOf,
  scopeOf,
  widestScope,
} from '../../../../src/network/libp2p/address-scope.ts';
import { machineAddresses, ownScope } from '../../../../src/network/libp2p/own-scope.ts';

const PEER = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN';

describe('the scope of an address', () => {
  it.each([
    ['/ip4/203.0.113.7/tcp/4001', 'public'],
    ['/ip6/2606:4700::1111/tcp/4001', 'public'],
    [`/ip4/8.8.8.8/tcp/4001/p2p/${PEER}`, 'public'],
    ['/ip4/10.1.2.3/tcp/4001', 'private'],
    ['/ip4/172.31.255.255/tcp/1', 'private'],
    ['/ip4/172.32.0.1/tcp/1', 'public'],
    ['/ip4/192.168.0.1/tcp/1', 'private'],
    ['/ip4/100.64.0.1/tcp/1', 'private'],
    ['/ip6/fd00::1/tcp/1', 'private'],
    ['/ip6/2002:7f00:1::/tcp/1', 'private'],
    ['/ip6/64:ff9b::7f00:1/tcp/1', 'private'],
    ['/ip6/::ffff:10.0.0.1/tcp/1', 'private'],
    ['/ip4/127.0.0.1/tcp/1', 'loopback'],
    ['/ip4/127.8.9.1/tcp/1', 'loopback'],
    ['/ip4/0.0.0.0/tcp/1', 'loopback'],
    ['/ip6/::1/tcp/1', 'loopback'],
    ['/ip6/::/tcp/1', 'loopback'],
    ['/ip6/::ffff:127.0.0.1/tcp/1', 'loopback'],
    ['/memory/a', 'loopback'],
    ['/ip4/169.254.169.254/tcp/80', undefined],
    ['/ip6/fe80::1/tcp/80', undefined],
    ['/ip4/224.0.0.251/tcp/1', undefined],
    ['/ip4/255.255.255.255/tcp/1', undefined],
    ['/ip6/ff02::1/tcp/1', undefined],
    ['/dns4/example.org/tcp/4001', undefined],
    ['/dnsaddr/example.org', undefined],
    ['/unix/var%2Frun%2Fdocker.sock', undefined],
    ['/ip4/8.8.8.8/udp/4001', undefined],
    ['/ip4/8.8.8.8/tcp/4001/ws', undefined],
    [`/ip4/8.8.8.8/tcp/4001/p2p/${PEER}/p2p-circuit`, undefined],
  ])('of %s is %s', (address, scope) => {
    expect(scopeOf(multiaddr(address))).toBe(scope);
  });

  it('that is widest decides how far a node may be sent', () => {
    const [loopback, lan, open, name] = [
      '/ip4/127.0.0.1/tcp/1',
      '/ip4/192.168.0.1/tcp/1',
      '/ip4/203.0.113.7/tcp/1',
      '/dns4/example.org/tcp/1',
    ].map((text) => multiaddr(text));
    expect(widestScope([loopback!])).toBe('loopback');
    expect(widestScope([loopback!, lan!])).toBe('private');
    expect(widestScope([lan!, open!, loopback!])).toBe('public');
    expect(widestScope([])).toBeUndefined();
    const targets = [loopback!, lan!, open!, name!];
    expect(targets.map((target) => mayDial('loopback', target))).toEqual([true, true, true, false]);
    expect(targets.map((target) => mayDial('private', target))).toEqual([false, true, true, false]);
    expect(targets.map((target) => mayDial('public', target))).toEqual([false, false, true, false]);
    expect([loopback!, open!, lan!].toSorted(byWidestFirst)).toEqual([open, lan, loopback]);
  });
});

describe('the scope of a node', () => {
  const at = (...texts: readonly string[]): readonly Multiaddr[] => texts.map((text) => multiaddr(text));
  const interfaces = (): readonly Multiaddr[] => at('/ip4/127.0.0.1/tcp/1', '/ip4/192.168.0.9/tcp/1');

  it('goes by what it listens on, wherever its connections lead', () => {
    const farEnds = (): readonly Multiaddr[] => at('/ip4/203.0.113.7/tcp/1');
    expect(ownScope({ addresses: at('/ip4/10.0.0.1/tcp/1'), farEnds, interfaces })).toBe('private');
    expect(ownScope({ addresses: at('/dns4/example.org/tcp/1'), farEnds, interfaces })).toBe('public');
  });

  it('goes by its connections where it listens on nothing, and by its machine before it has any', () => {
    const connectedTo = (...ends: readonly string[]): string =>
      ownScope({ addresses: [], farEnds: () => at(...ends), interfaces });
    expect(connectedTo('/ip4/127.0.0.1/tcp/7')).toBe('loopback');
    expect(connectedTo('/ip4/127.0.0.1/tcp/7', '/ip4/192.168.0.7/tcp/7')).toBe('private');
    expect(connectedTo('/ip4/192.168.0.7/tcp/7', '/ip4/203.0.113.7/tcp/7')).toBe('public');
    expect(connectedTo()).toBe('private');
  });

  it('is public where nothing is known', () => {
    expect(ownScope({ addresses: [], farEnds: () => [], interfaces: () => [] })).toBe('public');
  });

  it('can be told of every machine', () => {
    expect(machineAddresses().map((address) => scopeOf(address))).toContain('loopback');
  });
});

describe('the prefix of an address', () => {
  it.each([
    ['/ip4/198.51.100.1/tcp/1', '/ip4/198.51.100.254/tcp/2', true],
    ['/ip4/198.51.100.1/tcp/1', '/ip4/198.51.101.1/tcp/1', false],
    ['/ip6/2606:4700:1:2::1/tcp/1', '/ip6/2606:4700:1:ffff::9/tcp/1', true],
    ['/ip6/2606:4700:1::1/tcp/1', '/ip6/2606:4700:2::1/tcp/1', false],
  ])('%s and %s: %s', (a, b, same) => {
    expect(prefixOf(multiaddr(a)) === prefixOf(multiaddr(b))).toBe(same);
  });
});
