import type { Advert } from '../../domain/market/advert.ts';
import type { Evidence } from '../../domain/market/evidence.ts';
import { CodedError } from '../../lib/coded-error.ts';
import { advertMessage } from '../../messages/advert.ts';
import { claimedSigner, envelopeOf } from '../../messages/envelope.ts';
import { decodeFrame, encodeFrame } from '../../messages/frame.ts';
import { mostPayloadBytes } from '../../messages/message.ts';
import type { AdvertHandler, AdvertPublisher } from '../../registry/ports.ts';
import { countFault, type NetworkContext } from '../context.ts';
import { PeerRates } from '../peer-rates.ts';
import type { GossipVerdict } from '../underlay.ts';
import { NewcomerRates } from './newcomer-rates.ts';
import { type GossipOutcome, verdictOf } from './verdict.ts';

/**
 * What one neighbour may hand on. An honest one hands on what the whole network says, which is a few a second; the
 * burst is for many nodes that start together.
 */
const FORWARDED_BURST = 512;
const FORWARDED_PER_SECOND = 32;
/** Beyond these the neighbour that was silent longest starts afresh. */
const MOST_FORWARDERS = 1024;

/** The adverts topic: this node's own word out, the word of others in. */
export class AdvertGossip implements AdvertPublisher {
  readonly #context: NetworkContext;
  readonly #forwarded: PeerRates;
  readonly #newcomers: NewcomerRates;

  constructor(context: NetworkContext) {
    this.#context = context;
    this.#newcomers = new NewcomerRates(context.clock);
    const limit = { burst: FORWARDED_BURST, perSecond: FORWARDED_PER_SECOND };
    this.#forwarded = new PeerRates(limit, MOST_FORWARDERS, context.clock);
  }

  peerRecord(): Uint8Array {
    return this.#context.underlay.peerRecord();
  }

  publish(advert: Evidence<Advert>): void {
    const { underlay, names, counters } = this.#context;
    const message = encodeFrame({ kind: 'advert', body: envelopeOf(advert) });
    // Others hold a message that cannot be right against whoever hands it on, so none must begin here.
    const shape = advertMessage.schema.safeParse(advert.value);
    const fits = advert.payload.length <= mostPayloadBytes(advertMessage);
    if (!shape.success || !fits || message.length > underlay.maxGossipBytes) {
      throw new CodedError('ADVERT_INVALID', 'What this node says of itself is not a valid advert.', {
        data: { bytes: message.length, field: shape.error?.issues[0]?.path.join('.') },
      });
    }
    counters.add('advert.published');
    underlay.publish(names.advertsTopic, message).catch((error: unknown) => {
      countFault(this.#context, 'publish', underlay.self, error);
    });
  }

  audienceSize(): number {
    return this.#context.underlay.subscribers(this.#context.names.advertsTopic).length;
  }

  connectedProviders(): number {
    return this.#context.underlay.subscribers(this.#context.names.requestsTopic).length;
  }

  isConnected(peer: string): boolean {
    return this.#context.underlay.isConnected(peer);
  }

  async meet(peer: string, providerRecord: Uint8Array): Promise<boolean> {
    const { underlay, counters } = this.#context;
    counters.add('advert.followed');
    try {
      await underlay.meet(peer, providerRecord);
      return true;
    } catch (error) {
      countFault(this.#context, 'meet', peer, error);
      return false;
    }
  }

  /** The gossip validator of the adverts topic. */
  fromGossip(from: string, message: Uint8Array, handler: AdvertHandler): GossipVerdict {
    if (from === this.#context.underlay.self) return 'accept';
    return verdictOf(this.#context, from, this.#judge(from, message, handler));
  }

  #judge(from: string, message: Uint8Array, handler: AdvertHandler): GossipOutcome {
    // Before the signature, which costs most.
    if (!this.#forwarded.take(from)) return { kind: 'surplus' };
    const frame = decodeFrame(message, this.#context.underlay.maxGossipBytes);
    if (!frame.ok) return { kind: 'rejected', rejection: frame.rejection };
    const { kind, body } = frame.value;
    if (kind !== 'advert') {
      return { kind: 'rejected', rejection: { code: 'MALFORMED', detail: `${kind} among adverts` } };
    }
    // Who speaks for itself is there; it is the word of others that costs nothing.
    const signer = claimedSigner(body);
    const isNews = signer !== undefined && signer !== from && handler.isNews?.(signer) === true;
    const prefix = isNews ? this.#context.underlay.prefixOf?.(from) : undefined;
    if (isNews && !this.#newcomers.hasRoom(from, prefix)) {
      this.#context.counters.add('advert.newcomer-surplus');
      return { kind: 'surplus' };
    }
    const advert = this.#context.verifier.open(advertMessage, body);
    if (!advert.ok) return { kind: 'rejected', rejection: advert.rejection };
    if (advert.value.signer !== from) this.#context.allowances.handedOn(from);
    // Only a signature that holds uses anything up, so nobody spends it in the name of others.
    if (isNews) this.#newcomers.spend(from, prefix);
    switch (handler.take(advert.value)) {
      case 'accept':
        return { kind: 'advert' };
      case 'ignore':
        return { kind: 'repeat' };
      case 'reject':
        return {
          kind: 'rejected',
          rejection: { code: 'MALFORMED', detail: 'the advert contradicts itself' },
        };
    }
  }
}
