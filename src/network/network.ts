import type { BlockTransport } from '../content/ports.ts';
import { assert } from '../lib/assert.ts';
import type { Market } from '../orchestrator/ports.ts';
import type { RequesterLink } from '../provider/ports.ts';
import type { AdvertPublisher } from '../registry/ports.ts';
import type { NetworkContext } from './context.ts';
import { AdvertGossip } from './gossip/adverts.ts';
import { RequestIntake } from './gossip/request-intake.ts';
import type { Network, NetworkDesks } from './index.ts';
import { createBlockTransport, serveContent } from './protocols/content.ts';
import { serveContract } from './protocols/contract.ts';
import { fetchLogs, serveLogs } from './protocols/logs.ts';
import { MarketDesk } from './protocols/negotiation/market-desk.ts';
import { Offers } from './protocols/negotiation/offers.ts';
import { serveRequest } from './protocols/request.ts';
import { ServingLinks, serveServing } from './protocols/serving.ts';
import type { Channel, ProtocolLimits } from './underlay.ts';

/** Joins the protocols of one node to its underlay and its desks. */
export class NodeNetwork implements Network {
  readonly requesterLink: RequesterLink;
  readonly blockTransport: BlockTransport;
  readonly #context: NetworkContext;
  readonly #market: MarketDesk;
  readonly #adverts: AdvertGossip;
  #desks: NetworkDesks | undefined;
  #state: 'new' | 'started' | 'stopped' = 'new';

  constructor(context: NetworkContext, ownJobs: boolean) {
    this.#context = context;
    this.#market = new MarketDesk(context, () => ownJobs && this.#desks?.provider !== undefined);
    this.#adverts = new AdvertGossip(context);
    this.requesterLink = new ServingLinks(context);
    this.blockTransport = createBlockTransport(context);
  }

  get market(): Market {
    return this.#market;
  }

  get adverts(): AdvertPublisher {
    return this.#adverts;
  }

  attach(desks: NetworkDesks): void {
    assert(this.#state === 'new' && this.#desks === undefined, 'desks are attached once, before the start');
    this.#desks = desks;
  }

  async start(): Promise<void> {
    const desks = this.#desks;
    assert(
      this.#state === 'new' && desks !== undefined,
      'a network starts once, after its desks are attached',
    );
    this.#state = 'started';
    this.#serve(desks);
    this.#listen(desks);
    await this.#context.underlay.start();
  }

  async stop(): Promise<void> {
    if (this.#state !== 'started') return;
    this.#state = 'stopped';
    await this.#context.underlay.stop();
  }

  logs(
    peer: string,
    peerRecord: Uint8Array,
    contractId: string,
    stream: 'stdout' | 'stderr',
    offset: number,
    follow: boolean,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    return fetchLogs(this.#context, peer, peerRecord, { contractId, stream, offset, follow }, signal);
  }

  counters(): Record<string, number> {
    return this.#context.counters.snapshot();
  }

  /** A node without a provider does not listen on the requests topic, so nobody counts on its bids. */
  #serve(desks: NetworkDesks): void {
    const context = this.#context;
    const { names, limits } = context;
    const { protocols } = limits;
    if (desks.provider !== undefined) {
      const offers = new Offers(context, desks.provider, (request) => intake.isClosed(request));
      const intake = new RequestIntake(context, desks.provider.requesters, (request) =>
        offers.answer(request),
      );
      context.underlay.subscribe(names.requestsTopic, (from, message) => intake.fromGossip(from, message));
      this.#handle(names.request, protocols.request, (channel) => serveRequest(context, intake, channel));
    }
    const { registry } = desks;
    if (registry !== undefined) {
      context.underlay.subscribe(names.advertsTopic, (from, message) =>
        this.#adverts.fromGossip(from, message, registry),
      );
    }
    this.#handle(names.negotiation, protocols.negotiation, (channel) => this.#market.serve(channel));
    this.#handle(names.contract, protocols.contract, (channel) =>
      serveContract(context, desks.provider, channel),
    );
    this.#handle(names.serving, protocols.serving, (channel) =>
      serveServing(context, desks.requester, channel),
    );
    this.#handle(names.content, protocols.content, (channel) => serveContent(context, desks, channel));
    this.#handle(names.logs, protocols.logs, (channel) => serveLogs(context, desks.provider, channel));
  }

  #handle(name: string, limits: ProtocolLimits, serve: (channel: Channel) => Promise<void>): void {
    this.#context.underlay.handle(name, limits, (channel) => {
      void serve(channel);
    });
  }

  #listen(desks: NetworkDesks): void {
    this.#context.underlay.listen({
      peerConnected: (peer) => {
        desks.provider?.peerConnected(peer);
        desks.requester.peerConnected?.(peer);
      },
      peerDisconnected: (peer) => {
        desks.registry?.peerDisconnected(peer);
        this.#market.subscribersChanged();
      },
      subscribersChanged: (topic) => {
        if (topic === this.#context.names.requestsTopic) this.#market.subscribersChanged();
        if (topic === this.#context.names.advertsTopic) desks.registry?.audienceChanged();
      },
    });
  }
}
