import { askingOf } from './asked-price.ts';
import { join } from 'node:path';
import { apiDefaults } from '../api/options.ts';
import { defaultLibp2pLimits } from '../network/libp2p/options.ts';
import { defaultOrchestratorLimits } from '../orchestrator/options.ts';
import { defaultProviderLimits } from '../provider/options.ts';
import { defaultRegistryLimits } from '../registry/options.ts';
import { defaultRetention, defaultStoreLimits } from '../store/options.ts';
import type { NodeOptions } from './node-options.ts';
import type { NodeConfig } from './schema.ts';

/** The options of every part, out of one configuration. */
export function nodeOptionsOf(config: NodeConfig): NodeOptions {
  const { network, dataDir, api, p2p, requester, retention, limits } = config;
  const provider = providerOptionsOf(config);
  return {
    network,
    dataDir,
    logLevel: config.log.level,
    api: {
      ...apiDefaults,
      listen: api.listen,
      ...(api.token === null ? {} : { token: api.token }),
      maxBodyBytes: limits.maxBodyBytes,
    },
    libp2p: {
      ...p2p,
      network,
      kadDht: 'client',
      peerExchange: true,
      libp2pLogs: config.log.level === 'trace',
      limits: defaultLibp2pLimits,
    },
    orchestrator: {
      defaultOrchestrationType: config.defaultOrchestrationType,
      defaultSearchTimeoutMs: config.defaultSearchTimeout,
      wantedBids: requester.wantedBids,
      weights: requester.weights,
      limits: {
        ...defaultOrchestratorLimits,
        maxOpenSearches: limits.maxOpenSearches,
        maxOpenJobs: limits.maxJobs,
      },
    },
    registry: { preferredPeers: requester.preferredPeers, limits: defaultRegistryLimits },
    store: {
      folder: join(dataDir, 'store'),
      contentFolder: join(dataDir, 'content'),
      limits: defaultStoreLimits,
    },
    retention: {
      ...defaultRetention,
      finishedJobsMs: retention.jobAge,
      finishedJobs: retention.jobs,
      endedContractsMs: retention.contractAge,
    },
    content: { limits: { maxTotalBytes: limits.contentQuotaBytes } },
    ...(provider === undefined ? {} : { provider }),
  };
}

function providerOptionsOf({ provider }: NodeConfig): NodeOptions['provider'] {
  if (!provider.enabled) return undefined;
  const { ownJobs, onboard, price, labels, location, engines, lockOnBid, establishedPercent, allow, deny } =
    provider;
  const { continent, country, city, asn } = location;
  return {
    ownJobs,
    onboard,
    price: askingOf(price),
    labels,
    location: {
      ...(continent === null ? {} : { continent }),
      ...(country === null ? {} : { country }),
      ...(city === null ? {} : { city }),
      ...(asn === null ? {} : { asn }),
    },
    engines,
    lockOnBid,
    establishedPercent,
    allow,
    deny,
    limits: defaultProviderLimits,
  };
}
