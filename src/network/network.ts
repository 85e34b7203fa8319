import type { BlockTransport } from '../content/ports.ts';
import { assert } from '../lib/assert.ts';
import type { Market } from '../orchestrator/ports.ts';
import type { RequesterLink } from '../provider/ports.ts';
import type { AdvertPublisher } from '../registry/ports.ts';
import type { PaidProtocol } from './allowances/costs.ts';
import type { HeldPeer } from './allowances/held-peers.ts';
import type { NetworkContext } from './context.ts';
import { AdvertGossip } from './gossip/adverts.ts';
import { RequestIntake } from './gossip/request-intake.ts';
import type { Network, NetworkHandlers } from './index.ts';
import { createBlockTransport, serveContent } from './protocols/content.ts';
import { serveContract } from './protocols/contract.ts';
import { fetchLogs, serveLogs } from './protocols/logs.ts';
import { NegotiationMarket } from './protocols/negotiation/negotiation-market.ts';
import { Offers } from './protocols/negotiation/offers.ts';
import { serveRequest } from './protocols/request.ts';
import { ServingLinks, serveServing } from './protocols/serving.ts';
import type { Channel } from './underlay.ts';

/** Joins the protocols of one node to its underlay and its handlers. */
export class NodeNetwork implements Network {
  readonly requesterLink: RequesterLink;
  readonly blockTransport: BlockTransport;
  readonly #context: NetworkContext;
  readonly #market: NegotiationMarket;
  readonly #adverts: AdvertGossip;
  #handlers: NetworkHandlers | undefined;
  #state: 'new' | 'started' | 'stopped' = 'new';

  constructor(context: NetworkContext, ownJobs: boolean) {
    this.#context = context;
    this.#market = new NegotiationMarket(context, () => ownJobs && this.#handlers?.provider !== undefined);
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

  attach(handlers: NetworkHandlers): void {
    assert(
      this.#state === 'new' && this.#handlers === undefined,
      'handlers are attached once, before the start',
    );
    this.#handlers = handlers;
  }

  async start(): Promise<void> {
    const handlers = this.#handlers;
    assert(
      this.#state === 'new' && handlers !== undefined,
      'a network starts once, after its handlers are attached',
    );
    this.#state = 'started';
    this.#context.allowances.knows(
      (peer) =>
        handlers.provider?.requesters.knows?.(peer) === true || handlers.requester.knows?.(peer) === true,
    );
    this.#serve(handlers);
    this.#listen(handlers);
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

  heldBack(): readonly HeldPeer[] {
    return this.#context.allowances.held();
  }

  /** A node without a provider does not listen on the requests topic, so nobody counts on its bids. */
  #serve(handlers: NetworkHandlers): void {
    const context = this.#context;
    const { names } = context;
    if (handlers.provider !== undefined) {
      const offers = new Offers(context, handlers.provider, (request) => intake.isClosed(request));
      const intake = new RequestIntake(context, handlers.provider.requesters, (request) =>
        offers.answer(request),
      );
      context.underlay.subscribe(names.requestsTopic, (from, message) => intake.fromGossip(from, message));
      this.#handle('request', (channel) => serveRequest(context, intake, channel));
    }
    const { registry } = handlers;
    if (registry !== undefined) {
      context.underlay.subscribe(names.advertsTopic, (from, message) =>
        this.#adverts.fromGossip(from, message, registry),
      );
    }
    this.#handle('negotiation', (channel) => this.#market.serve(channel));
    this.#handle('contract', (channel) => serveContract(context, handlers.provider, channel));
    this.#handle('serving', (channel) => serveServing(context, handlers.requester, channel));
    this.#handle('content', (channel) => serveContent(context, handlers, channel));
    this.#handle('logs', (channel) => serveLogs(context, handlers.provider, channel));
  }

  /** The one door for what peers open: nothing of it is looked at before it is paid for. */
  #handle(protocol: PaidProtocol, serve: (channel: Channel) => Promise<void>): void {
    const { underlay, names, limits, allowances } = this.#context;
    underlay.handle(names[protocol], limits.protocols[protocol], (channel) => {
      allowances.admit(protocol, channel, (paid) => void serve(paid));
    });
  }

  #listen(handlers: NetworkHandlers): void {
    this.#context.underlay.listen({
      worked: (peer, workMs) => this.#context.allowances.worked(peer, workMs),
      faulted: (peer, code) => this.#context.allowances.fault(peer, code),
      peerConnected: (peer) => {
        handlers.provider?.peerConnected(peer);
        handlers.requester.peerConnected?.(peer);
      },
      peerDisconnected: (peer) => {
        handlers.registry?.peerDisconnected(peer);
        this.#market.subscribersChanged();
      },
      subscribersChanged: (topic) => {
        if (topic === this.#context.names.requestsTopic) this.#market.subscribersChanged();
        if (topic === this.#context.names.advertsTopic) handlers.registry?.audienceChanged();
      },
    });
  }
}
