import { globSync, readFileSync } from 'node:fs';
import { noise } from '@chainsafe/libp2p-noise';
import { gossipsub } from '@libp2p/gossipsub';
import { identify } from '@libp2p/identify';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { createLibp2p } from 'libp2p';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/**
 * What `network/libp2p/` reaches into without the types knowing of it. Where a field is not there the code leaves the
 * library as it is, which is slower or weaker and fails nothing: so it fails here, by name. Another version of a
 * package is looked at first (do its fields still mean the same?), and then its number is changed here.
 */
const LOOKED_AT: Readonly<Record<string, { readonly version: string; readonly fields: readonly Field[] }>> = {
  libp2p: {
    version: '3.3.11',
    fields: [
      { on: 'connection', path: 'maConn', is: 'object', file: 'holds.ts' },
      {
        on: 'host',
        path: 'components.addressManager._updatePeerStoreAddresses.stop',
        is: 'function',
        file: 'host.ts',
      },
    ],
  },
  '@libp2p/gossipsub': {
    version: '17.1.1',
    fields: [
      { on: 'pubsub', path: 'streamsOutbound', is: 'Map', file: 'gossip-topics.ts' },
      { on: 'pubsub', path: 'status.heartbeatTimeout', is: 'Timeout', file: 'host.ts' },
    ],
  },
  '@chainsafe/libp2p-noise': {
    version: '17.0.0',
    fields: [
      { on: 'encrypted', path: 'stream', is: 'object', file: 'paced-muxer.ts' },
      { on: 'encrypted', path: 'decoder', is: 'LengthPrefixedDecoder', file: 'frame-lengths.ts' },
    ],
  },
  '@libp2p/utils': {
    version: '7.4.1',
    fields: [
      { on: 'encrypted', path: 'decoder.lengthDecoder', is: 'function', file: 'frame-lengths.ts' },
      { on: 'encrypted', path: 'decoder.buffer.bufs', is: 'Array', file: 'frame-lengths.ts' },
      { on: 'encrypted', path: 'writeBuffer.bufs', is: 'Array', file: 'transport-line.ts' },
      { on: 'transport', path: 'writeBuffer.bufs', is: 'Array', file: 'transport-line.ts' },
      { on: 'transport', path: 'onData', is: 'function', file: 'transport-line.ts' },
    ],
  },
  '@libp2p/tcp': {
    version: '11.0.28',
    fields: [
      { on: 'transport', path: 'sendPause', is: 'function', file: 'reading.ts' },
      { on: 'transport', path: 'sendResume', is: 'function', file: 'reading.ts' },
      { on: 'transport', path: 'status', is: 'string', file: 'reading.ts' },
    ],
  },
  '@libp2p/yamux': {
    version: '8.0.3',
    fields: [
      { on: 'muxer', path: 'onData', is: 'function', file: 'paced-muxer.ts' },
      { on: 'muxer', path: 'handleFrame', is: 'function', file: 'paced-muxer.ts' },
      { on: 'muxer', path: '_newStream', is: 'function', file: 'window-updates.ts' },
      { on: 'stream', path: 'streamId', is: 'number', file: 'paced-muxer.ts' },
      { on: 'stream', path: 'state', is: 'number', file: 'window-updates.ts' },
      { on: 'stream', path: 'recvWindow', is: 'number', file: 'window-updates.ts' },
      { on: 'stream', path: 'recvWindowCapacity', is: 'number', file: 'window-updates.ts' },
      { on: 'stream', path: 'sendWindowUpdate', is: 'function', file: 'window-updates.ts' },
      { on: 'stream', path: 'sendPause', is: 'function', file: 'window-updates.ts' },
      { on: 'stream', path: 'sendResume', is: 'function', file: 'window-updates.ts' },
    ],
  },
};

interface Field {
  readonly on: 'host' | 'pubsub' | 'connection' | 'transport' | 'encrypted' | 'muxer' | 'stream';
  readonly path: string;
  /** Its type, or the name of its class. */
  readonly is: string;
  /** Where in `src/network/libp2p/` it is used. */
  readonly file: string;
}

const FIELDS = Object.entries(LOOKED_AT).flatMap(([name, { version, fields }]) =>
  fields.map(({ on, path, is, file }) => ({
    on,
    path,
    is,
    what: `${name}@${version}: ${on}.${path} (${file})`,
  })),
);
const PROTOCOL = '/test/1';
const SOURCE = 'src/network/libp2p';
/** A field that is named where it is reached for. */
const REACHED = /\b(?:Reflect\.[gs]et|readPath)\(([^;]*?)\)[,;)\s]/g;

function startHost() {
  return createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), pubsub: gossipsub() },
  });
}

function at(start: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value instanceof Object ? Reflect.get(value, key) : undefined), start);
}

/** Adds to `began` the state of each stream that a multiplexer makes. */
function noteStates(muxer: unknown, began: unknown[]): void {
  const newStream = at(muxer, '_newStream');
  if (!(muxer instanceof Object) || typeof newStream !== 'function') return;
  Reflect.set(muxer, '_newStream', (...args: unknown[]): unknown => {
    began.push(args[1]);
    return Reflect.apply(newStream, muxer, args);
  });
}

function kindOf(value: unknown): string[] {
  return value instanceof Object ? [typeof value, value.constructor.name] : [typeof value];
}

describe('the inner fields of libp2p that are reached into', () => {
  const objects = new Map<Field['on'], unknown>();
  /** States in which streams began. */
  const began: unknown[] = [];
  const hosts: Awaited<ReturnType<typeof startHost>>[] = [];

  beforeAll(async () => {
    hosts.push(await startHost(), await startHost());
    const [host, other] = hosts;
    if (host === undefined || other === undefined) throw new Error('no hosts');
    const connection = await host.dial(other.getMultiaddrs());
    const muxer = at(connection, 'muxer');
    for (const end of [muxer, at(other.getConnections()[0], 'muxer')]) noteStates(end, began);
    await other.handle(PROTOCOL, () => {});
    const stream = await connection.newStream(PROTOCOL);
    objects
      .set('host', host)
      .set('pubsub', host.services.pubsub)
      .set('connection', connection)
      .set('transport', at(connection, 'maConn'))
      .set('muxer', muxer)
      .set('encrypted', at(muxer, 'maConn'))
      .set('stream', stream);
  });

  afterAll(async () => {
    for (const host of hosts) await host.stop();
  });

  it.each(Object.entries(LOOKED_AT))('%s is of the version that was looked at', (name, { version }) => {
    const { version: installed }: { version: string } = JSON.parse(
      readFileSync(`node_modules/${name}/package.json`, 'utf8'),
    );
    const files = [...new Set(LOOKED_AT[name]?.fields.map(({ file }) => `${SOURCE}/${file}`))];
    expect(installed, `look at ${files.join(', ')} with it, then change it here`).toBe(version);
  });

  it.each(FIELDS)('$what: $is', ({ on, path, is }) => {
    expect(kindOf(at(objects.get(on), path))).toContain(is);
  });

  it('a timer of gossipsub can be disposed of', () => {
    const timer = at(objects.get('pubsub'), 'status.heartbeatTimeout');
    expect(timer instanceof Object && typeof Reflect.get(timer, Symbol.dispose)).toBe('function');
  });

  it('the states of a yamux stream have the numbers that window-updates.ts knows', () => {
    const stream = objects.get('stream');
    const after = (method: string): unknown => {
      const found = at(stream, method);
      if (typeof found === 'function') Reflect.apply(found, stream, []);
      return at(stream, 'state');
    };
    expect({
      // Both sides of each stream, however many the services of a host have opened by now.
      began: new Set(began),
      open: at(stream, 'state'),
      paused: after('sendPause'),
      again: after('sendResume'),
    }).toEqual({ began: new Set([0, 2]), open: 3, paused: 5, again: 3 });
  });

  it('all of them are listed here', () => {
    const listed = new Set(FIELDS.flatMap(({ path }) => path.split('.')));
    const reached = globSync(`${SOURCE}/*.ts`).flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(REACHED)].flatMap(([, args = '']) =>
        [...args.matchAll(/'(\w+)'/g)].map(([, field = '']) => field),
      ),
    );
    expect(reached.length).toBeGreaterThan(15);
    expect(reached.filter((field) => !listed.has(field))).toEqual([]);
  });
});
