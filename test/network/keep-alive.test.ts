import type { Connection } from '@libp2p/interface';
import { PING_PROTOCOL } from '@libp2p/ping';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Host, stopHost } from '../../src/network/libp2p/host.ts';
import { fastClock, newHost } from './libp2p-hosts.ts';
import { until } from './libp2p-nodes.ts';

/** Two hosts with one connection, of which the first one's time passes ten times as fast. */
describe('keep-alive over libp2p', () => {
  let hosts: Host[] = [];
  let connection: Connection;

  beforeEach(async () => {
    hosts = [await newHost({ clock: fastClock(10) }), await newHost()];
    for (const host of hosts) await host.start();
    connection = await hosts[0]!.dial(hosts[1]!.getMultiaddrs());
  });

  afterEach(async () => {
    await Promise.all(hosts.map(stopHost));
  });

  it('measures the round trip', async () => {
    await until(() => connection.rtt !== undefined);
    expect(connection.rtt).toBeGreaterThan(0);
    expect(connection.status).toBe('open');
  });

  it('ends the connection when the peer has stopped reading', async () => {
    await until(() => hosts[1]!.getConnections().length === 1);
    const [other] = hosts[1]!.getConnections();
    const transport: unknown = Reflect.get(other!, 'maConn');
    (transport as { pause(): void }).pause();
    await until(() => connection.status !== 'open');
    expect(hosts[0]!.getConnections()).toHaveLength(0);
  });

  it('keeps a peer that answers and leaves the stream open', async () => {
    await hosts[1]!.unhandle(PING_PROTOCOL);
    let pings = 0;
    await hosts[1]!.handle(PING_PROTOCOL, async (stream) => {
      pings += 1;
      for await (const chunk of stream) stream.send(chunk);
    });
    await until(() => pings === 3);
    expect(connection.status).toBe('open');
  });
});
