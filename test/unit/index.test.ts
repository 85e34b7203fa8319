import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BidmeshClient } from '../../src/client/index.ts';
import { type NodeSettings, type RunningNode, startNode } from '../../src/index.ts';

let place: string;
let nodes: RunningNode[];

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'bidmesh-index-'));
  nodes = [];
});

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const node of nodes) await node.stop();
  await rm(place, { recursive: true });
});

/** A node that meets nobody and offers nothing. */
async function start(settings: NodeSettings): Promise<RunningNode> {
  const node = await startNode({
    dataDir: place,
    api: { listen: '127.0.0.1:0' },
    p2p: { listen: [], mdns: false },
    provider: { enabled: false },
    log: { level: 'silent' },
    ...settings,
  });
  nodes.push(node);
  return node;
}

async function networkOf({ apiUrl }: RunningNode): Promise<string> {
  return (await new BidmeshClient({ url: apiUrl }).getStatus()).network;
}

it('starts a node with the settings that it is given, and stops it', async () => {
  const node = await start({ network: 'given' });
  expect(await networkOf(node)).toBe('given');
  expect(node.peerId).toMatch(/^12D3KooW/);
  expect(node.multiaddrs()).toEqual([]);
  await node.stop();
  await expect(fetch(node.apiUrl)).rejects.toThrow('fetch failed');
});

it('takes what it is not given from the file in the data directory, and nothing from the environment', async () => {
  vi.stubEnv('BIDMESH__NETWORK', 'environment');
  await writeFile(join(place, 'config.yaml'), 'network: from-file\nlog: { level: info }\n');
  expect(await networkOf(await start({}))).toBe('from-file');
});

it('writes no configuration file', async () => {
  await start({});
  expect(await readdir(place)).not.toContain('config.yaml');
});

it('says which setting is wrong, and that it came from there', async () => {
  const settings: NodeSettings = JSON.parse(
    '{ "netwrok": "lab", "provider": { "onboard": { "cpu": "lots" } } }',
  );
  await expect(start(settings)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    data: {
      errors: expect.arrayContaining([
        expect.objectContaining({ key: 'netwrok', source: 'startNode' }),
        expect.objectContaining({ key: 'provider.onboard.cpu', source: 'startNode' }),
      ]),
    },
  });
});

it('leaves a data directory to the node that has it', async () => {
  await start({});
  await expect(start({})).rejects.toMatchObject({ code: 'DATABASE_LOCKED' });
});
