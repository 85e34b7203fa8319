import { expect, it } from 'vitest';
import { loopbackOnly } from '../../attack/hostile-host.ts';

it.each([
  '/ip4/10.0.0.1/tcp/4001',
  '/ip4/192.0.2.1/tcp/4001',
  '/dns4/node.example/tcp/4001',
  '/ip6/2001:db8::1/tcp/4001',
])('an attacker connects to loopback alone: %s is refused', (address) => {
  expect(() => loopbackOnly(address)).toThrow('not on loopback');
  expect(loopbackOnly('/ip4/127.0.0.1/tcp/4001').toString()).toBe('/ip4/127.0.0.1/tcp/4001');
});
