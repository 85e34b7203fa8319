import type { BlockTransport, ContentHandler } from '../content/ports.ts';
import type { Notary } from '../domain/market/evidence.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Startable } from '../lib/startable.ts';
import { networkName } from '../messages/envelope.ts';
import type { Verifier } from '../messages/message.ts';
import type { Market, RequesterHandler } from '../orchestrator/ports.ts';
import type { ProviderHandler, RequesterLink } from '../provider/ports.ts';
import type { AdvertHandler, AdvertPublisher } from '../registry/ports.ts';
import { Allowances } from './allowances/allowances.ts';
import type { HeldPeer } from './allowances/held-peers.ts';
import { Counters } from './counters.ts';
import { StrayTimes } from './gossip/stray-times.ts';
import { withLoopback } from './loopback.ts';
import { protocolNames } from './names.ts';
import { NodeNetwork } from './network.ts';
import { defaultNetworkLimits, type NetworkOptions } from './options.ts';
import type { Underlay } from './underlay.ts';

/** What a network works with. It starts and stops the underlay. */
export interface NetworkNeeds {
  readonly underlay: Underlay;
  readonly notary: Notary;
  readonly verifier: Verifier;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Who answers what comes in. A node without a provider hears no requests and answers for no contracts. */
export interface NetworkHandlers {
  readonly requester: RequesterHandler;
  readonly provider?: ProviderHandler;
  readonly content: ContentHandler;
  /** Left out: this node hears no adverts. */
  readonly registry?: AdvertHandler;
}

/** The market as one node sees it, over whatever underlay. The node reaches itself like any other peer. */
export interface Network extends Startable {
  readonly market: Market;
  readonly adverts: AdvertPublisher;
  readonly requesterLink: RequesterLink;
  readonly blockTransport: BlockTransport;
  /** Output of a running attempt from its provider. Throws (while iterating) `PEER_UNREACHABLE` or `LOGS_UNAVAILABLE`. */
  logs(
    peer: string,
    peerRecord: Uint8Array,
    contractId: string,
    stream: 'stdout' | 'stderr',
    offset: number,
    follow: boolean,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
  /** Once, before the start. */
  attach(handlers: NetworkHandlers): void;
  /** What happened so often since the start, by name: `gossip.BAD_SIGNATURE`, `offer.sent`, … */
  counters(): Record<string, number>;
  /** Peers that were held back or restrained within the last minute, the newest first; 64 at most. */
  heldBack(): readonly HeldPeer[];
}

/** The protocols of one node. Throws when the network's name cannot stand in a protocol id. */
export function createNetwork(options: NetworkOptions, needs: NetworkNeeds): Network {
  const network = networkName.parse(options.network);
  const logger = needs.logger.child('network');
  const limits = { ...defaultNetworkLimits, ...options.limits };
  const around = {
    ...needs,
    underlay: withLoopback(needs.underlay),
    logger,
    counters: new Counters(),
  };
  return new NodeNetwork(
    {
      ...around,
      allowances: new Allowances(limits.allowances, around),
      strays: new StrayTimes(needs.clock, logger),
      names: protocolNames(network),
      limits,
    },
    options.ownJobs,
  );
}
