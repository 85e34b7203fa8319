import { describe, expect, it } from 'vitest';
import { readEnvironment } from '../../../src/config/environment.ts';
import { loadConfig } from '../../../src/config/index.ts';
import type { Layer } from '../../../src/config/layers.ts';
import { nodeConfig } from '../../../src/config/schema.ts';
import { leafPaths } from '../../../src/config/schema-walk.ts';

const PEER = `12D3KooW${'a'.repeat(44)}`;
const TOKEN = '1234567890abcdef';

interface Refusal {
  readonly key: string;
  readonly source: string;
  readonly message: string;
}

async function refusalsOf(layers: readonly Layer[]): Promise<readonly Refusal[]> {
  const request = { home: '/nowhere', cwd: '/nowhere', env: {}, flags: layers };
  const error: unknown = await loadConfig(request).then(
    () => undefined,
    (refusal: unknown) => refusal,
  );
  return error === undefined ? [] : Object(error).data.errors;
}

const at = (key: string, value: unknown): readonly Layer[] => [
  { source: 'somewhere', path: key.split('.'), value },
];

/** For every key: values that would do nothing or harm, and what is said about them. */
const SENSELESS: Readonly<Record<string, readonly (readonly [value: unknown, says: RegExp])[]>> = {
  network: [
    ['', /lower-case letters/],
    ['Net', /lower-case letters/],
    ['a/b', /lower-case letters/],
    ['x'.repeat(64), /at most 63/],
    [7, /in quotes/],
  ],
  dataDir: [
    ['', /a folder/],
    ['  ', /a folder/],
    ['a\0b', /a folder/],
    ['x'.repeat(4097), /4096/],
  ],
  'api.listen': [
    ['', /HOST:PORT/],
    ['9999', /HOST:PORT/],
    ['127.0.0.1', /HOST:PORT/],
    ['127.0.0.1:70000', /HOST:PORT/],
    ['127.0.0.1:-1', /HOST:PORT/],
    ['127.0.0.256:9999', /HOST:PORT/],
    ['127.1:9999', /HOST:PORT/],
    ['[:::1]:9999', /HOST:PORT/],
    ['-:9999', /HOST:PORT/],
    ['..:9999', /HOST:PORT/],
    ['http://127.0.0.1:9999', /HOST:PORT/],
    ['0.0.0.0:9999', /set api\.token as well/],
  ],
  'api.token': [
    ['', /at least 16/],
    [' '.repeat(16), /visible ASCII/],
    ['pässwort-pässwort', /visible ASCII/],
    ['with spaces in it!', /visible ASCII/],
    [1234567890123456, /in quotes/],
  ],
  'p2p.listen': [
    [['/ip4/0.0.0.0/tcp/70000'], /port up to 65535/],
    [['/ip4/0.0.0.256/tcp/1'], /multiaddr such as/],
    [['/ip6/:::1/tcp/1'], /multiaddr such as/],
    [['/ip4/0.0.0.0/udp/1/quic-v1'], /only tcp/],
    [['/ip4/0.0.0.0/tcp/1/ws'], /multiaddr such as/],
    [['/dns4/example.org/tcp/1'], /multiaddr such as/],
    [['0.0.0.0:4001'], /multiaddr such as/],
    ['', /a list/],
  ],
  'p2p.announce': [
    [['/ip4/0.0.0.0/tcp/4001'], /others are to use/],
    [['/ip4/1.2.3.4/tcp/0'], /others are to use/],
    [['/ip4/1.2.3.4'], /multiaddr such as/],
    [['/dns4/-/tcp/1'], /multiaddr such as/],
  ],
  'p2p.bootstrap': [
    [['/ip4/1.2.3.4/tcp/1/p2p/nobody'], /multiaddr such as/],
    [['/ip4/1.2.3.4/tcp/99999'], /port up to/],
    [[PEER], /multiaddr such as/],
  ],
  'p2p.mdns': [['true', /without quotes/]],
  defaultOrchestrationType: [['shove', /pull or push/]],
  defaultSearchTimeout: [
    ['0s', /more than 0/],
    [-1, /a duration/],
    ['366d', /at most 365d/],
    [Number.NaN, /a duration/],
  ],
  'provider.enabled': [['yes', /true or false/]],
  'provider.ownJobs': [[1, /true or false/]],
  'provider.onboard.cpu': [
    [0, /more than 0.*provider\.enabled/],
    ['0%', /more than 0/],
    ['0.0001', /more than 0/],
    ['101%', /80%/],
    ['-1', /80%/],
    [Number.POSITIVE_INFINITY, /80%/],
  ],
  'provider.onboard.memory': [
    ['0', /more than 0/],
    ['-1GiB', /80%/],
    ['lots', /80%/],
  ],
  'provider.onboard.disk': [
    ['0B', /more than 0/],
    [0.5, /80%/],
  ],
  'provider.onboard.gpus': [
    ['some', /all, none/],
    [[-1], /all, none|at least 0/],
  ],
  'provider.price.amount': [
    ['-1', /without a sign/],
    [0.02, /in quotes/],
    ['1e9', /decimal amount/],
    ['1234567890123', /12 digits/],
    ['', /decimal amount/],
  ],
  'provider.price.currency': [['usd', /currency code/]],
  'provider.price.per': [['day', /result, second, minute or hour/]],
  'provider.price.base': [['-1', /without a sign/]],
  'provider.price.cpuHour': [
    [0.04, /in quotes/],
    ['123456', /5 digits/],
  ],
  'provider.price.memoryGiBHour': [['1e3', /decimal amount/]],
  'provider.price.diskGiBHour': [['', /decimal amount/]],
  'provider.price.gpuHour': [
    [{ A100: '1.20' }, /expected default/],
    [{ default: '1', ['A'.repeat(65)]: '2' }, /64/],
    [{ default: 1 }, /in quotes/],
  ],
  'provider.labels': [
    [{ 'a b': 'x' }, /a label of/],
    [{ a: 7 }, /in quotes/],
    [{ a: '\ud800' }, /halves/],
    [{ a: 'x'.repeat(254) }, /at most 253/],
  ],
  'provider.location.continent': [['', /null/]],
  'provider.location.country': [['  ', /null/]],
  'provider.location.city': [['x'.repeat(65), /at most 64/]],
  'provider.location.asn': [
    [3320, /in quotes/],
    ['\udc00', /halves/],
  ],
  'provider.engines': [
    [['docker'], /wasm or python/],
    [['WASM'], /wasm or python/],
    [[], /provider\.enabled/],
  ],
  'provider.lockOnBid': [[null, /true or false/]],
  'provider.establishedPercent': [
    [-1, /0/],
    [91, /90/],
    [20.5, /whole|integer/],
    ['20%', /number/],
  ],
  'provider.allow': [[['alice'], /peer id/]],
  'provider.deny': [[[PEER.toLowerCase()], /peer id/]],
  'requester.wantedBids': [
    [0, /at least 1/],
    [65, /at most 64/],
    [1.5, /whole number/],
  ],
  'requester.weights.price': [
    [-1, /at least 0/],
    [101, /at most 100/],
    [Number.NaN, /a number/],
  ],
  'requester.weights.soft': [['3', /without quotes/]],
  'requester.weights.load': [[Number.POSITIVE_INFINITY, /a number/]],
  'requester.weights.speed': [[null, /a number/]],
  'requester.weights.fit': [[-0.1, /at least 0/]],
  'requester.weights.behaviour': [[1000, /at most 100/]],
  'requester.weights.roundTrip': [[true, /a number/]],
  'requester.preferredPeers': [[['bob'], /peer id/]],
  'trust.authorities': [
    [['https://authority.example'], /empty list.*no credentials.*provider\.allow/],
    [[PEER], /empty list/],
    ['nobody', /empty list/],
  ],
  'retention.jobAge': [
    ['0s', /1h or more/],
    [3_599_999, /1h or more/],
    ['-1d', /a duration/],
  ],
  'retention.jobs': [
    [0, /at least 1/],
    [10_000_001, /at most 10000000/],
  ],
  'retention.contractAge': [[0, /1h or more/]],
  'limits.maxBodyBytes': [
    [0, /1KiB to 128MiB/],
    ['1B', /1KiB to 128MiB/],
    ['129MiB', /1KiB to 128MiB/],
    [-1, /a size/],
  ],
  'limits.contentQuotaBytes': [
    [0, /16MiB or more/],
    ['15MiB', /16MiB or more/],
    ['2PiB', /a size/],
  ],
  'limits.maxOpenSearches': [
    [0, /at least 1/],
    [1025, /at most 1024/],
  ],
  'limits.maxJobs': [
    [0, /at least 1/],
    [1e300, /at most/],
  ],
  'log.level': [['loud', /silent, error, warn, info, debug or trace/]],
};

describe('senseless values', () => {
  it('are tried for every key there is', () => {
    expect(Object.keys(SENSELESS).sort()).toEqual(
      leafPaths(nodeConfig)
        .map((path) => path.join('.'))
        .sort(),
    );
  });

  const cases = Object.entries(SENSELESS).flatMap(([key, values]) =>
    values.map(([value, says]) => [key, JSON.stringify(value)?.slice(0, 60), value, says] as const),
  );

  it.each(cases)('%s: %s is refused with what it takes', async (key, _, value, says) => {
    const refusals = await refusalsOf(at(key, value));
    expect(refusals).toHaveLength(1);
    expect(refusals[0]?.key.startsWith(key)).toBe(true);
    expect(refusals[0]).toMatchObject({ source: 'somewhere', message: expect.stringMatching(says) });
    expect(refusals[0]?.message).not.toMatch(/Invalid|received/);
  });

  it.each<[string, readonly Layer[], string, RegExp]>([
    [
      'weights that are all 0',
      ['price', 'soft', 'load', 'speed', 'fit', 'behaviour', 'roundTrip'].flatMap((name) =>
        at(`requester.weights.${name}`, 0),
      ),
      'requester.weights',
      /all 0/,
    ],
    [
      'a peer that is served and is not',
      [...at('provider.allow', [PEER]), ...at('provider.deny', [PEER])],
      'provider.allow.0',
      /provider\.deny as well/,
    ],
    [
      'one price for everything beside a rate',
      [...at('provider.price.amount', '0.02'), ...at('provider.price.gpuHour', { default: '1' })],
      'provider.price.amount',
      /keep one of the two/,
    ],
    [
      'addresses that nobody listens on',
      [...at('p2p.listen', []), ...at('p2p.announce', ['/ip4/1.2.3.4/tcp/1'])],
      'p2p.announce',
      /p2p\.listen is empty/,
    ],
  ])('together: %s', async (_, layers, key, says) => {
    expect(await refusalsOf(layers)).toEqual([
      { key, source: 'somewhere', message: expect.stringMatching(says) },
    ]);
  });

  it.each(['', ' ', '\t'])('an empty token in the environment (%j) is not "no token"', async (text) => {
    const layers = readEnvironment(nodeConfig, { BIDMESH__API__TOKEN: text });
    expect(await refusalsOf(layers)).toMatchObject([
      { key: 'api.token', source: 'environment variable BIDMESH__API__TOKEN' },
    ]);
  });

  it.each(['BIDMESH__DATADIR', 'BIDMESH__PROVIDER__OWNJOBS', 'BIDMESH__LIMITS__MAXJOBS', 'BIDMESH__P2P'])(
    'nothing at all in %s is refused',
    async (name) => {
      expect(await refusalsOf(readEnvironment(nodeConfig, { [name]: '' }))).toHaveLength(1);
    },
  );

  it.each<[string, unknown]>([
    ['api.listen', '127.0.0.2:9999'],
    ['api.listen', 'LOCALHOST:0'],
    ['api.listen', '[::1]:1'],
    ['p2p.listen', []],
    ['p2p.listen', ['/ip6/::/tcp/0', '/ip4/10.0.0.1/tcp/65535']],
    ['p2p.announce', ['/dns4/node.example.org/tcp/4001', `/ip6/2001:db8::1/tcp/1/p2p/${PEER}`]],
    ['p2p.bootstrap', ['/dnsaddr/bootstrap.example.org', `/ip4/127.0.0.1/tcp/1/p2p/${PEER}`, '/dns/a/tcp/1']],
    ['provider.onboard.cpu', '1m'],
    ['provider.price.amount', '0'],
    ['provider.engines', ['python']],
    ['requester.weights.price', 0],
    ['trust.authorities', []],
    ['limits.maxBodyBytes', '1KiB'],
    ['api.token', TOKEN],
    ['api.token', null],
  ])('and what makes sense is taken: %s: %j', async (key, value) => {
    expect(await refusalsOf(at(key, value))).toEqual([]);
  });
});

describe('what is no YAML', () => {
  it.each(leafPaths(nodeConfig).map((path) => path.join('.')))(
    'is refused in the environment as %s',
    async (key) => {
      const name = `BIDMESH__${key.replaceAll('.', '__').toUpperCase()}`;
      for (const text of ['[12D3KooW', '%', '.nan', '{', '"x', '*a']) {
        const [layer] = readEnvironment(nodeConfig, { [name]: text });
        expect(layer?.value).toEqual(expect.anything());
      }
    },
  );

  it('leaves no list of those who are served empty', async () => {
    const env = { BIDMESH__PROVIDER__ALLOW: `[${PEER}` };
    await expect(loadConfig({ home: '/nowhere', cwd: '/nowhere', env, flags: [] })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });
});

describe('a text without end', () => {
  it('is refused as soon as any other', async () => {
    const before = performance.now();
    expect(await refusalsOf(at('dataDir', `${'a'.repeat(200_000)}\0`))).not.toEqual([]);
    expect(performance.now() - before).toBeLessThan(5000);
  });

  it('of many faults tells as many as can be read', async () => {
    expect(
      await refusalsOf(
        at(
          'provider.engines',
          Array.from({ length: 3000 }, () => 'x'),
        ),
      ),
    ).toHaveLength(32);
  });
});
