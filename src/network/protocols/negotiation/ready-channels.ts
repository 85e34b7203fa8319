import type { Timer } from '../../../lib/clock.ts';
import { countFault, type NetworkContext } from '../../context.ts';
import type { Channel } from '../../underlay.ts';

/** Channels that lie ready on the provider's side, one for each requester. */
const MOST_READY = 256;
/** A requester that has just ended a negotiation is busy with the provider that it has chosen. */
const PREPARE_AFTER_MS = 50;
/** Then nobody seems to want it. */
export const READY_FOR_MS = 60_000;

interface Ready {
  readonly channel: Channel;
  readonly expiry: Timer;
}

/**
 * Channels to requesters that this provider has bid to, opened before the next bid needs one: choosing a protocol
 * takes a round trip, and whoever posted one job often posts another.
 */
export class ReadyChannels {
  readonly #context: NetworkContext;
  readonly #ready = new Map<string, Ready>();
  readonly #preparing = new Set<string>();

  constructor(context: NetworkContext) {
    this.#context = context;
  }

  /** The channel that lies ready, for the one who takes it. */
  take(requester: string): Channel | undefined {
    const ready = this.#ready.get(requester);
    if (ready === undefined) return undefined;
    this.#ready.delete(requester);
    ready.expiry.cancel();
    this.#context.counters.add('offer.on-ready-channel');
    return ready.channel;
  }

  /** Opens one in a while, over a connection that is there then. */
  prepare(requester: string): void {
    const taken = this.#ready.size + this.#preparing.size;
    if (this.#ready.has(requester) || this.#preparing.has(requester) || taken >= MOST_READY) return;
    this.#preparing.add(requester);
    this.#context.clock.after(PREPARE_AFTER_MS, () => {
      void this.#open(requester).finally(() => this.#preparing.delete(requester));
    });
  }

  async #open(requester: string): Promise<void> {
    const { underlay, names, limits, clock } = this.#context;
    if (!underlay.isConnected(requester)) return;
    try {
      const timeoutMs = limits.openTimeoutMs;
      const protocol = limits.protocols.negotiation;
      const channel = await underlay.open(requester, names.negotiation, protocol, { timeoutMs });
      const expiry = clock.after(READY_FOR_MS, () => channel.abort());
      this.#ready.set(requester, { channel, expiry });
      void channel.ended.then(() => {
        expiry.cancel();
        if (this.#ready.get(requester)?.channel === channel) this.#ready.delete(requester);
      });
    } catch (error) {
      countFault(this.#context, 'ready', requester, error);
    }
  }
}
