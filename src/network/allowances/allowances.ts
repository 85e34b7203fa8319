import { type Clock, sleep } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Counters } from '../counters.ts';
import { ExpiringSet } from '../expiring-set.ts';
import { PeerRates } from '../peer-rates.ts';
import type { Channel, Underlay } from '../underlay.ts';
import { Accounts, type Payer } from './accounts.ts';
import { COSTS, HANDED_ON_MS, type PaidProtocol } from './costs.ts';
import { FAULTS } from './faults.ts';
import { type HeldPeer, HeldPeers } from './held-peers.ts';
import type { AllowanceLimits } from './limits.ts';
import { PaidChannel } from './paid-channel.ts';
import { WaitingRoom } from './waiting-room.ts';

export interface AllowancesNeeds {
  readonly underlay: Pick<
    Underlay,
    'self' | 'restrain' | 'holdBack' | 'prefixOf' | 'isNamed' | 'isConnected'
  >;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
}

/**
 * What each peer may cost this node. Known costs are taken before anything is decoded, what the transport measures is
 * taken after it, and what is wrong costs a price of its own; who owes something is not read, and who goes on doing
 * wrong is restrained.
 */
export class Allowances {
  readonly #limits: AllowanceLimits;
  readonly #needs: AllowancesNeeds;
  readonly #accounts: Accounts;
  readonly #faults: PeerRates;
  readonly #distrusted: ExpiringSet;
  readonly #held: HeldPeers;
  readonly #waiting: WaitingRoom;
  #isKnown: (peer: string) => boolean = () => false;

  constructor(limits: AllowanceLimits, needs: AllowancesNeeds) {
    const { clock, logger } = needs;
    this.#limits = limits;
    this.#needs = needs;
    this.#accounts = new Accounts(limits, clock.monotonicMs());
    this.#faults = new PeerRates(limits.faults, limits.rememberedPeers, clock);
    this.#distrusted = new ExpiringSet(clock, limits.distrustMs, limits.rememberedPeers);
    this.#held = new HeldPeers(limits.toldEveryMs, clock, logger);
    this.#waiting = new WaitingRoom(limits);
  }

  /** Who has a history with this node, from whoever keeps it. */
  knows(isKnown: (peer: string) => boolean): void {
    this.#isKnown = isKnown;
  }

  isKnown(peer: string): boolean {
    if (this.#distrusted.has(peer)) return false;
    return this.#needs.underlay.isNamed?.(peer) === true || this.#isKnown(peer);
  }

  /** Those that were held back or restrained within the last minute. */
  held(): readonly HeldPeer[] {
    return this.#held.recent();
  }

  /** Has a channel that a peer opened served once it is paid for, and drops it where that takes too long. */
  admit(protocol: PaidProtocol, channel: Channel, serve: (paid: Channel) => void): void {
    if (this.#isSelf(channel.peer)) {
      serve(channel);
      return;
    }
    const cost = COSTS[protocol];
    const paid = new PaidChannel(channel, cost, {
      pays: (peer, workMs) => this.#pays(peer, workMs),
      waitsFor: (...wait) => this.#waitsFor(...wait),
      unused: (peer) => {
        // One that lost its connection could not help it.
        if (this.#needs.underlay.isConnected(peer)) this.fault(peer, 'CHANNEL_UNUSED');
      },
      owes: (peer, workMs) => this.#accounts.prepay(this.#payer(peer), workMs, this.#nowMs()),
    });
    if (this.#pays(channel.peer, cost.channelMs)) {
      serve(paid);
      return;
    }
    void paid.enter().then((isPaid) => {
      if (isPaid) serve(paid);
    });
  }

  /** The transport measured how long this node worked on what it read from the peer. */
  worked(peer: string, workMs: number): void {
    if (this.#isSelf(peer)) return;
    const payer = this.#payer(peer);
    this.#accounts.worked(payer, workMs, this.#nowMs());
    this.#holdWhileInDebt(payer, 'OVER_ALLOWANCE');
    this.#pause(payer);
  }

  /** A neighbour brought something of others that is in good order. */
  handedOn(peer: string): void {
    if (this.#isSelf(peer)) return;
    this.#accounts.handedOn(this.#payer(peer), HANDED_ON_MS, this.#nowMs());
  }

  /** Something that the peer sent was wrong, or so many things at once. Codes that are nobody's fault cost nothing. */
  fault(peer: string, code: string, times = 1): void {
    const price = FAULTS.get(code);
    if (price === undefined || times === 0 || this.#isSelf(peer)) return;
    this.#needs.counters.add(`fault.${code}`);
    const payer = this.#payer(peer);
    this.#accounts.fine(payer, price.workMs * times, this.#nowMs());
    if (this.#faults.take(peer, price.weight * times)) this.#holdWhileInDebt(payer, code);
    else this.#restrain(payer, code);
  }

  /** More than strangers together may send, in the peer's own name: not read for a moment, and let go if it goes on. */
  surplus(peer: string): void {
    if (this.#isSelf(peer)) return;
    const { underlay, counters } = this.#needs;
    const price = FAULTS.get('SURPLUS');
    const payer = this.#payer(peer);
    if (!this.#faults.take(peer, price?.weight ?? 0)) {
      this.#restrain(payer, 'SURPLUS');
      return;
    }
    counters.add('peer.held-back');
    this.#held.add(peer, payer.prefix, 'SURPLUS');
    underlay.restrain?.(peer, false);
  }

  #restrain({ peer, known, prefix }: Payer, code: string): void {
    const { underlay, counters } = this.#needs;
    counters.add('peer.restrained');
    this.#held.add(peer, prefix, code);
    // Whoever had a name to lose is held back first, and is a stranger from now on.
    if (known) this.#distrusted.add(peer);
    underlay.restrain?.(peer, !known);
  }

  #holdWhileInDebt(payer: Payer, code: string): void {
    const debtMs = this.#accounts.waitMs(payer, this.#nowMs());
    if (debtMs === 0) return;
    // An operator looks for those who took it, and not for those who have to wait as others did.
    const isOwn = this.#accounts.ownWaitMs(payer, this.#nowMs()) > 0;
    this.#needs.counters.add(isOwn ? 'peer.in-debt' : 'peer.waits-for-others');
    if (isOwn) this.#held.add(payer.peer, payer.prefix, code);
    this.#needs.underlay.holdBack?.(payer.peer, Math.min(debtMs, this.#limits.longestHoldMs));
  }

  /** For those that are known: they do not wait for strangers. */
  #pause(payer: Payer): void {
    const pauseMs = this.#accounts.pauseMs(payer, this.#nowMs());
    if (pauseMs === 0) return;
    this.#needs.counters.add('peer.paused');
    this.#needs.underlay.holdBack?.(payer.peer, Math.min(pauseMs, this.#limits.longestHoldMs));
  }

  #pays(peer: string, workMs: number): boolean {
    const payer = this.#payer(peer);
    const nowMs = this.#nowMs();
    if (this.#accounts.waitMs(payer, nowMs) > 0) return false;
    this.#accounts.prepay(payer, workMs, nowMs);
    return true;
  }

  async #waitsFor(peer: string, workMs: number, over: AbortSignal): Promise<boolean> {
    const { clock, counters } = this.#needs;
    if (!this.#waiting.enter(peer)) {
      this.#gaveUp(peer);
      return false;
    }
    counters.add('channel.waited');
    const deadlineMs = this.#nowMs() + this.#limits.longestWaitMs;
    try {
      for (let leftMs = this.#limits.longestWaitMs; leftMs > 0; leftMs = deadlineMs - this.#nowMs()) {
        const waitMs = this.#accounts.waitMs(this.#payer(peer), this.#nowMs());
        // Nobody is made to wait for nothing.
        if (waitMs > leftMs) break;
        await sleep(clock, waitMs, over);
        if (this.#pays(peer, workMs)) return true;
      }
      this.#gaveUp(peer);
      return false;
    } catch {
      // The channel is over; nobody need be told.
      return false;
    } finally {
      this.#waiting.leave(peer);
    }
  }

  /** Dropping it is all that is done to whom others have left nothing; one that used up its own has itself to blame. */
  #gaveUp(peer: string): void {
    this.#needs.counters.add('channel.dropped');
    if (this.#accounts.ownWaitMs(this.#payer(peer), this.#nowMs()) > 0) this.fault(peer, 'OVER_ALLOWANCE');
  }

  #payer(peer: string): Payer {
    return { peer, known: this.isKnown(peer), prefix: this.#needs.underlay.prefixOf?.(peer) };
  }

  #isSelf(peer: string): boolean {
    return peer === this.#needs.underlay.self;
  }

  #nowMs(): number {
    return this.#needs.clock.monotonicMs();
  }
}
