import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeOptionsOf } from '../../../src/config/index.ts';
import { nodeConfig } from '../../../src/config/schema.ts';
import { leafPaths } from '../../../src/config/schema-walk.ts';

const PEER = `12D3KooW${'a'.repeat(44)}`;

/** For every key a value that is not its default, and by which name the parts know it. */
const OTHER: Readonly<Record<string, readonly [value: unknown, option: string]>> = {
  network: ['other', 'network'],
  dataDir: ['/other', 'dataDir'],
  'api.listen': ['127.0.0.1:1', 'listen'],
  'api.token': ['1234567890abcdef', 'token'],
  'p2p.listen': [[], 'listen'],
  'p2p.announce': [['/ip4/1.2.3.4/tcp/1'], 'announce'],
  'p2p.bootstrap': [['/ip4/1.2.3.4/tcp/1'], 'bootstrap'],
  'p2p.mdns': [false, 'mdns'],
  defaultOrchestrationType: ['push', 'defaultOrchestrationType'],
  defaultSearchTimeout: ['1s', 'defaultSearchTimeoutMs'],
  'provider.enabled': [false, 'provider'],
  'provider.ownJobs': [false, 'ownJobs'],
  'provider.onboard.cpu': ['1', 'cpu'],
  'provider.onboard.memory': ['1GiB', 'memory'],
  'provider.onboard.disk': ['1GiB', 'disk'],
  'provider.onboard.gpus': ['none', 'gpus'],
  'provider.price.amount': ['1', 'price'],
  'provider.price.currency': ['EUR', 'price'],
  'provider.price.per': ['minute', 'price'],
  'provider.price.base': ['1', 'price'],
  'provider.price.cpuHour': ['1', 'price'],
  'provider.price.memoryGiBHour': ['1', 'price'],
  'provider.price.diskGiBHour': ['1', 'price'],
  'provider.price.gpuHour': [{ default: '1' }, 'price'],
  'provider.labels': [{ zone: 'b' }, 'labels'],
  'provider.location.continent': ['EU', 'location'],
  'provider.location.country': ['DE', 'location'],
  'provider.location.city': ['Berlin', 'location'],
  'provider.location.asn': ['AS1', 'location'],
  'provider.engines': [['wasm'], 'engines'],
  'provider.lockOnBid': [true, 'lockOnBid'],
  'provider.establishedPercent': [30, 'establishedPercent'],
  'provider.allow': [[PEER], 'allow'],
  'provider.deny': [[PEER], 'deny'],
  'requester.wantedBids': [4, 'wantedBids'],
  'requester.weights.price': [9, 'weights'],
  'requester.weights.soft': [9, 'weights'],
  'requester.weights.load': [9, 'weights'],
  'requester.weights.speed': [9, 'weights'],
  'requester.weights.fit': [9, 'weights'],
  'requester.weights.behaviour': [9, 'weights'],
  'requester.weights.roundTrip': [9, 'weights'],
  'requester.preferredPeers': [[PEER], 'preferredPeers'],
  'retention.jobAge': ['2h', 'finishedJobsMs'],
  'retention.jobs': [5, 'finishedJobs'],
  'retention.contractAge': ['2h', 'endedContractsMs'],
  'limits.maxBodyBytes': ['1MiB', 'maxBodyBytes'],
  'limits.contentQuotaBytes': ['1GiB', 'maxTotalBytes'],
  'limits.maxOpenSearches': [3, 'maxOpenSearches'],
  'limits.maxJobs': [3, 'maxOpenJobs'],
  'log.level': ['debug', 'logLevel'],
};

/** Reserved: any value is refused, as nothing would read it. */
const RESERVED: ReadonlySet<string> = new Set(['trust.authorities']);

function treeOf([key = '', ...rest]: readonly string[], value: unknown): Record<string, unknown> {
  return { [key]: rest.length === 0 ? value : treeOf(rest, value) };
}

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.startsWith('config/') && !path.endsWith('options.ts'))
  .map((path) => readFileSync(join('src', path), 'utf8'));

describe('every key of the configuration', () => {
  const keys = leafPaths(nodeConfig);

  it('has another value here, or is reserved', () => {
    const named = [...Object.keys(OTHER), ...RESERVED];
    expect(named.sort()).toEqual(keys.map((path) => path.join('.')).sort());
  });

  it.each(Object.entries(OTHER))('%s changes what the parts are told', (key, [value]) => {
    const usual = nodeOptionsOf(nodeConfig.parse({}));
    const other = nodeOptionsOf(nodeConfig.parse(treeOf(key.split('.'), value)));
    expect(other).not.toEqual(usual);
  });

  it.each([...new Set(Object.values(OTHER).map(([, option]) => option))])(
    'the option %s is read by a part',
    (option) => {
      const read = new RegExp(
        `\\.${option}\\b|\\{[^{}]*\\b${option}\\b[^{}]*\\} (=|of) |\\(\\{[^{}]*\\b${option}\\b`,
      );
      expect(sources.filter((text) => read.test(text))).not.toEqual([]);
    },
  );
});
