import { describe, expect, it } from 'vitest';
import { nodeOptionsOf } from '../../../src/config/index.ts';
import { nodeConfig } from '../../../src/config/schema.ts';
import { defaultRetention } from '../../../src/store/options.ts';

const PEER = `12D3KooW${'a'.repeat(44)}`;

describe('the options of the parts', () => {
  it('carry every configured value', () => {
    const options = nodeOptionsOf(
      nodeConfig.parse({
        network: 'one',
        dataDir: '/data',
        api: { listen: '[::1]:1', token: '1234567890abcdef' },
        p2p: { listen: ['/ip4/1.1.1.1/tcp/1'], announce: [], bootstrap: ['/ip4/2.2.2.2/tcp/2'], mdns: false },
        defaultOrchestrationType: 'push',
        defaultSearchTimeout: '1s',
        requester: { wantedBids: 7, weights: { price: 9 }, preferredPeers: [PEER] },
        provider: { location: { country: 'DE' }, lockOnBid: true, price: { amount: '1' }, engines: ['wasm'] },
        retention: { jobAge: '2h', jobs: 5, contractAge: '1h' },
        limits: { maxBodyBytes: '2KiB', contentQuotaBytes: '20MiB', maxOpenSearches: 3, maxJobs: 4 },
        log: { level: 'trace' },
      }),
    );
    expect(options).toMatchObject({
      network: 'one',
      logLevel: 'trace',
      api: { listen: '[::1]:1', token: '1234567890abcdef', maxBodyBytes: 2048 },
      libp2p: {
        network: 'one',
        listen: ['/ip4/1.1.1.1/tcp/1'],
        bootstrap: ['/ip4/2.2.2.2/tcp/2'],
        mdns: false,
      },
      orchestrator: {
        defaultOrchestrationType: 'push',
        defaultSearchTimeoutMs: 1000,
        wantedBids: 7,
        weights: { price: 9, soft: 3 },
        limits: { maxOpenSearches: 3, maxOpenJobs: 4 },
      },
      registry: { preferredPeers: [PEER] },
      retention: { finishedJobsMs: 7_200_000, finishedJobs: 5, endedContractsMs: 3_600_000 },
      content: { limits: { maxTotalBytes: 20 * 2 ** 20 } },
      provider: { lockOnBid: true, price: { amount: '1', currency: 'USD', per: 'hour' }, engines: ['wasm'] },
    });
    expect(options.provider?.location).toEqual({ country: 'DE' });
  });

  it('keep what is over as long as the parts would by themselves', () => {
    expect(nodeOptionsOf(nodeConfig.parse({})).retention).toEqual(defaultRetention);
    expect(nodeConfig.safeParse({ retention: { contractAge: '59m' } }).success).toBe(false);
  });

  it('leave out what is not set', () => {
    const options = nodeOptionsOf(nodeConfig.parse({ provider: { enabled: false } }));
    expect('provider' in options).toBe(false);
    expect('token' in options.api).toBe(false);
  });

  it('give the database and the content folders of their own in the data directory', () => {
    const { store } = nodeOptionsOf(nodeConfig.parse({ dataDir: '/data' }));
    expect([store.folder, store.contentFolder]).toEqual(['/data/store', '/data/content']);
  });
});
