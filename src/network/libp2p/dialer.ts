import type { Connection, PeerId, PeerRouting } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import type { Multiaddr } from '@multiformats/multiaddr';
import { type Clock, within } from '../../lib/clock.ts';
import { CodedError } from '../../lib/coded-error.ts';
import type { DialPolicy } from './dial-policy.ts';
import { checkPeerRecord } from './peer-record.ts';

export interface DialerOptions {
  readonly maxAddressesDialled: number;
  readonly addressDialTimeoutMs: number;
}

/** See {@link OpenOptions}. */
export interface DialOptions {
  readonly timeoutMs: number;
  readonly forStranger?: boolean;
}

export interface DialerNeeds {
  readonly clock: Clock;
  readonly policy: DialPolicy;
  dial(address: Multiaddr, signal: AbortSignal): Promise<Connection>;
  /** Finds addresses when those in the record lead nowhere. */
  readonly routing: Pick<PeerRouting, 'findPeer'> | undefined;
}

type DialRefusal = 'PEER_UNREACHABLE' | 'ADDRESS_REFUSED' | 'DIAL_BUDGET_EXHAUSTED';

/** Connects to peers by their signed peer records, never by an address alone. */
export class Dialer {
  readonly #options: DialerOptions;
  readonly #needs: DialerNeeds;
  /** Callers for the same peer share one dial, each within its own time. */
  readonly #dialling = new Map<string, Promise<Connection>>();
  readonly #stopped = new AbortController();

  constructor(options: DialerOptions, needs: DialerNeeds) {
    this.#options = options;
    this.#needs = needs;
  }

  /**
   * Rejects after `timeoutMs` at the latest: with `PEER_UNREACHABLE` when the addresses of the record lead nowhere, with
   * `ADDRESS_REFUSED` when none of them may be dialled from here, or with `DIAL_BUDGET_EXHAUSTED`.
   */
  async connect(peer: string, peerRecord: Uint8Array, options: DialOptions): Promise<Connection> {
    const { timeoutMs } = options;
    let dial = this.#dialling.get(peer);
    if (dial === undefined) {
      dial = this.#dial(peer, peerRecord, options).finally(() => this.#dialling.delete(peer));
      this.#dialling.set(peer, dial);
    }
    const outcome = await within(this.#needs.clock, timeoutMs, dial, () => undefined);
    if (outcome === undefined) throw refusal('PEER_UNREACHABLE', peer, 'No address answered in time.');
    return outcome;
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #dial(
    peer: string,
    peerRecord: Uint8Array,
    { timeoutMs, forStranger = false }: DialOptions,
  ): Promise<Connection> {
    const untilMs = this.#needs.clock.monotonicMs() + timeoutMs;
    const record = await checkPeerRecord(peerRecord);
    if (!record.ok) throw refusal('PEER_UNREACHABLE', peer, record.message);
    if (record.peer !== peer) throw refusal('PEER_UNREACHABLE', peer, 'The record is about another peer.');
    try {
      return await this.#tryAddresses(peer, record.addresses, { untilMs, forStranger });
    } catch (error) {
      const found = await this.#lookUp(peer, untilMs);
      if (found.length === 0) throw error;
      // The peer answers for its record, and not for what others say of it.
      return await this.#tryAddresses(peer, found, { untilMs, forStranger }).catch(() => {
        throw error;
      });
    }
  }

  async #tryAddresses(
    peer: string,
    addresses: readonly Multiaddr[],
    { untilMs, forStranger }: { readonly untilMs: number; readonly forStranger: boolean },
  ): Promise<Connection> {
    const allowed = this.#needs.policy.select(addresses, this.#options.maxAddressesDialled);
    if (allowed.length === 0) {
      throw refusal('ADDRESS_REFUSED', peer, 'None of its addresses may be dialled from here.');
    }
    let cause: unknown;
    let dialled = 0;
    for (const address of allowed) {
      const leftMs = untilMs - this.#needs.clock.monotonicMs();
      if (leftMs <= 0 || this.#stopped.signal.aborted) break;
      if (!this.#needs.policy.take(address, forStranger)) continue;
      dialled += 1;
      try {
        return await this.#dialAddress(peer, address, Math.min(leftMs, this.#options.addressDialTimeoutMs));
      } catch (error) {
        cause = error;
      }
    }
    if (dialled === 0 && !this.#stopped.signal.aborted) {
      throw refusal('DIAL_BUDGET_EXHAUSTED', peer, 'Too many dials; try again in a few seconds.');
    }
    throw refusal('PEER_UNREACHABLE', peer, `${dialled} of its addresses were tried.`, cause);
  }

  async #dialAddress(peer: string, address: Multiaddr, timeoutMs: number): Promise<Connection> {
    const complete = address.toString().includes(`/p2p/${peer}`)
      ? address
      : address.encapsulate(`/p2p/${peer}`);
    return this.#withTimeout(timeoutMs, (signal) =>
      this.#needs.policy.exempting([complete], () => this.#needs.dial(complete, signal)),
    );
  }

  async #lookUp(peer: string, untilMs: number): Promise<readonly Multiaddr[]> {
    const leftMs = untilMs - this.#needs.clock.monotonicMs();
    const routing = this.#needs.routing;
    if (routing === undefined || leftMs <= 0 || this.#stopped.signal.aborted) return [];
    const id: PeerId = peerIdFromString(peer);
    try {
      const found = await this.#withTimeout(leftMs, (signal) => routing.findPeer(id, { signal }));
      return found.multiaddrs;
    } catch {
      return [];
    }
  }

  async #withTimeout<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const timeout = new AbortController();
    const timer = this.#needs.clock.after(timeoutMs, () => timeout.abort());
    try {
      return await work(AbortSignal.any([timeout.signal, this.#stopped.signal]));
    } finally {
      timer.cancel();
    }
  }
}

function refusal(code: DialRefusal, peer: string, reason: string, cause?: unknown): CodedError<DialRefusal> {
  return new CodedError(code, `Peer ${peer} cannot be reached: ${reason}`, { cause, data: { peer } });
}
