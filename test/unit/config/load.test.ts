import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConfigRequest, type Layer, loadConfig } from '../../../src/config/index.ts';
import { nodeConfig } from '../../../src/config/schema.ts';

let home = '';

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'bidmesh-config-'));
});

afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

function flag(name: string, path: readonly string[], value: unknown): Layer {
  return { source: `flag --${name}`, path, value };
}

interface Given {
  readonly file?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: readonly Layer[];
}

async function load(given: Given = {}): Promise<Awaited<ReturnType<typeof loadConfig>>> {
  const request: ConfigRequest = { home, cwd: home, env: given.env ?? {}, flags: given.flags ?? [] };
  if (given.file === undefined) return loadConfig(request);
  await writeFile(join(home, 'node.yaml'), given.file);
  return loadConfig({ ...request, configFile: 'node.yaml' });
}

async function refusalOf(given: Given): Promise<{ message: string; errors: unknown }> {
  const refusal = await load(given).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(refusal).toMatchObject({ code: 'CONFIG_INVALID' });
  const { message, data } = Object(refusal);
  return { message, errors: data.errors };
}

describe('where a value comes from', () => {
  it('has a default for every key', async () => {
    const { config, file, created } = await load();
    expect(config).toEqual({ ...nodeConfig.parse({}), dataDir: join(home, '.bidmesh') });
    expect([file, created]).toEqual([undefined, undefined]);
    expect(config.provider.onboard.cpu).toEqual({ kind: 'share', percent: 80 });
    expect(config.defaultSearchTimeout).toBe(5000);
  });

  const file = 'network: of-file\napi: { listen: 127.0.0.1:1 }\nprovider: { labels: { a: "1", b: "2" } }\n';
  const env = { BIDMESH__NETWORK: 'of-env', BIDMESH__PROVIDER__LABELS: '{ b: "3" }' };

  it('takes flags before environment before file before defaults', async () => {
    expect((await load({ file })).config.network).toBe('of-file');
    expect((await load({ file, env })).config.network).toBe('of-env');
    const flags = [flag('network', ['network'], 'of-flag')];
    expect((await load({ file, env, flags })).config.network).toBe('of-flag');
  });

  it('merges objects and replaces lists', async () => {
    const { config } = await load({
      file: `${file}p2p: { listen: [/ip4/1.1.1.1/tcp/1, /ip4/1.1.1.2/tcp/1] }\n`,
      env: { ...env, BIDMESH__P2P__LISTEN: '/ip4/2.2.2.2/tcp/2' },
    });
    expect(config.provider.labels).toEqual({ a: '1', b: '3' });
    expect(config.p2p.listen).toEqual(['/ip4/2.2.2.2/tcp/2']);
    expect(config.api.listen).toBe('127.0.0.1:1');
  });

  it('reads the file in the data directory, wherever that is', async () => {
    const dataDir = join(home, 'data');
    const request = { home, cwd: home, env: {}, flags: [flag('data-dir', ['dataDir'], 'data')] };
    const first = await loadConfig({ ...request, writeMissingFile: true });
    expect(first.created).toBe(join(dataDir, 'config.yaml'));
    await writeFile(join(dataDir, 'config.yaml'), 'network: of-data-dir\n');
    const second = await loadConfig({ ...request, writeMissingFile: true });
    expect(second).toMatchObject({
      file: join(dataDir, 'config.yaml'),
      config: { network: 'of-data-dir', dataDir },
    });
  });

  it('starts ~ at the home and relative paths at the working folder', async () => {
    expect((await load({ file: 'dataDir: ~/x\n' })).config.dataDir).toBe(join(home, 'x'));
    expect((await load({ file: 'dataDir: x/y\n' })).config.dataDir).toBe(join(home, 'x', 'y'));
  });
});

describe('environment variables', () => {
  it.each([
    ['BIDMESH__P2P__MDNS', 'false', ['p2p', 'mdns'], false],
    ['BIDMESH__API__TOKEN', '1234567890123456', ['api', 'token'], '1234567890123456'],
    ['BIDMESH__API__TOKEN', 'null', ['api', 'token'], null],
    ['BIDMESH__PROVIDER__OWNJOBS', 'false', ['provider', 'ownJobs'], false],
    ['BIDMESH__PROVIDER__OWN_JOBS', 'false', ['provider', 'ownJobs'], false],
    ['BIDMESH__provider__lockOnBid', 'true', ['provider', 'lockOnBid'], true],
    [
      'BIDMESH__PROVIDER__ONBOARD__MEMORY',
      '1GiB',
      ['provider', 'onboard', 'memory'],
      { kind: 'amount', amount: 2 ** 30 },
    ],
    ['BIDMESH__PROVIDER__ONBOARD__CPU', 'all', ['provider', 'onboard', 'cpu'], { kind: 'all' }],
    ['BIDMESH__PROVIDER__ONBOARD__GPUS', '[0, 2]', ['provider', 'onboard', 'gpus'], [0, 2]],
    ['BIDMESH__PROVIDER__PRICE__AMOUNT', '0.5', ['provider', 'price', 'amount'], '0.5'],
    [
      'BIDMESH__PROVIDER__PRICE__GPUHOUR__DEFAULT',
      '0.5',
      ['provider', 'price', 'gpuHour'],
      { default: '0.5' },
    ],
    ['BIDMESH__PROVIDER__LABELS__zone', 'b', ['provider', 'labels'], { zone: 'b' }],
    ['BIDMESH__LIMITS__MAXJOBS', '10', ['limits', 'maxJobs'], 10],
    ['BIDMESH__DEFAULTSEARCHTIMEOUT', '250ms', ['defaultSearchTimeout'], 250],
    [
      'BIDMESH__P2P__BOOTSTRAP',
      '/ip4/1.1.1.1/tcp/1, /ip4/2.2.2.2/tcp/2',
      ['p2p', 'bootstrap'],
      ['/ip4/1.1.1.1/tcp/1', '/ip4/2.2.2.2/tcp/2'],
    ],
    ['BIDMESH__P2P__BOOTSTRAP', '', ['p2p', 'bootstrap'], []],
  ])('%s=%s', async (name, text, path, value) => {
    const { config } = await load({ env: { [name]: text } });
    const found = path.reduce<unknown>((branch, key) => Object(branch)[key], config);
    expect(found).toEqual(value);
  });

  it('leaves other variables alone', async () => {
    expect((await load({ env: { BIDMESH_API: 'http://127.0.0.1:1', PATH: '/bin' } })).config.network).toBe(
      'bidmesh',
    );
  });
});

describe('what is refused', () => {
  it('names the key and where its value came from', async () => {
    const { message, errors } = await refusalOf({
      file: 'provider: { price: { amount: 1 } }\nlogs: {}\n',
      env: { BIDMESH__P2P__MDNS: 'perhaps', BIDMESH__PROVIDER__COLOUR: 'red' },
      flags: [flag('network', ['network'], 'No Name')],
    });
    const file = join(home, 'node.yaml');
    const byKey = (a: { key: string }, b: { key: string }): number => (a.key < b.key ? -1 : 1);
    expect(Array.isArray(errors) ? errors.sort(byKey) : errors).toEqual([
      { key: 'logs', source: file, message: 'unknown key' },
      {
        key: 'network',
        source: 'flag --network',
        message: 'expected lower-case letters, digits and dashes, at most 63 characters',
      },
      {
        key: 'p2p.mdns',
        source: 'environment variable BIDMESH__P2P__MDNS',
        message: 'expected true or false',
      },
      {
        key: 'provider.COLOUR',
        source: 'environment variable BIDMESH__PROVIDER__COLOUR',
        message: 'unknown key',
      },
      { key: 'provider.price.amount', source: file, message: expect.stringContaining('in quotes') },
    ]);
    expect(message).toContain(
      'provider.COLOUR (environment variable BIDMESH__PROVIDER__COLOUR): unknown key',
    );
    expect(message).toContain('config/default.yaml');
  });

  it('never repeats a value: it may be a secret', async () => {
    const secret = 'short-secret';
    const { message, errors } = await refusalOf({
      file: `api: { token: ${secret}, tokens: ${secret} }\n`,
      env: {
        BIDMESH__API__LISTEN: secret,
        BIDMESH__LOG__LEVEL: secret,
        BIDMESH__LIMITS__MAXBODYBYTES: secret,
      },
    });
    expect(message).not.toContain(secret);
    expect(JSON.stringify(errors)).not.toContain(secret);
  });

  it.each([
    ['an API that is open to the network', 'api: { listen: 0.0.0.0:9999 }', 'api.listen'],
    ['a share above all of it', 'provider: { onboard: { cpu: 101% } }', 'provider.onboard.cpu'],
    ['an amount of nothing known', 'provider: { onboard: { memory: lots } }', 'provider.onboard.memory'],
    ['a device that is no index', 'provider: { onboard: { gpus: [a] } }', 'provider.onboard.gpus'],
    ['a section that is a list', 'p2p: []', 'p2p'],
    ['an empty section', 'p2p:', 'p2p'],
    ['an address that is none', 'p2p: { listen: [1.2.3.4] }', 'p2p.listen.0'],
    ['a label that no constraint can name', 'provider: { labels: { größe: a } }', 'provider.labels.größe'],
    ['a label with a space', 'provider: { labels: { odd name: a } }', 'provider.labels.odd name'],
    ['a peer to deny that is none', 'provider: { deny: [12D3KooWtypo] }', 'provider.deny.0'],
    ['a peer to allow that is none', 'provider: { allow: [alice] }', 'provider.allow.0'],
    ['a preferred peer that is none', 'requester: { preferredPeers: [bob] }', 'requester.preferredPeers.0'],
    ['a key like __proto__', '__proto__: { network: x }', '__proto__'],
  ])('%s', async (_what, file, key) => {
    const { errors } = await refusalOf({ file });
    expect(errors).toEqual([expect.objectContaining({ key, source: join(home, 'node.yaml') })]);
  });

  it('takes an API off loopback that has a token', async () => {
    const { config } = await load({ file: 'api: { listen: 0.0.0.0:9999, token: 1234567890abcdef }' });
    expect(config.api.token).toBe('1234567890abcdef');
  });

  it.each([
    ['network: x\nnetwork: y\n', 'line 2'],
    ['api: { token: top-secret-token\n', 'line 2'],
    ['- a\n', 'keys and values'],
    ['network: !!binary top-secret-token\n', 'line 1'],
  ])('a file that is not YAML, without quoting it: %j', async (file, place) => {
    const refusal = await load({ file }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'CONFIG_UNREADABLE', message: expect.stringContaining(place) });
    expect(String(refusal)).not.toContain('top-secret');
  });

  it('a file that was asked for and is not there', async () => {
    const request = { home, cwd: home, env: {}, flags: [], configFile: 'nope.yaml' };
    await expect(loadConfig(request)).rejects.toMatchObject({ code: 'CONFIG_NOT_FOUND' });
  });
});

describe('the first start', () => {
  const start = (): ReturnType<typeof loadConfig> =>
    loadConfig({ home, cwd: home, env: {}, flags: [], writeMissingFile: true });

  it('writes the defaults with their comments, for the owner alone', async () => {
    const { config, created = '' } = await start();
    expect(created).toBe(join(home, '.bidmesh', 'config.yaml'));
    const text = await readFile(created, 'utf8');
    expect(text).toContain('# Offer this machine to others.');
    expect(text).toContain(`dataDir: ${JSON.stringify(join(home, '.bidmesh'))}`);
    expect((await stat(created)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(home, '.bidmesh'))).toEqual(['config.yaml']);
    expect((await start()).config).toEqual(config);
  });

  it('reads the file next time, and never writes over it', async () => {
    await start();
    const path = join(home, '.bidmesh', 'config.yaml');
    await writeFile(path, 'network: mine\n');
    expect(await start()).toMatchObject({ file: path, config: { network: 'mine' } });
    expect(await readFile(path, 'utf8')).toBe('network: mine\n');
  });

  it('says what to do when the data directory cannot be written', async () => {
    await writeFile(join(home, '.bidmesh'), 'a file');
    await expect(start()).rejects.toMatchObject({ code: expect.stringMatching(/^CONFIG_/) });
  });
});
