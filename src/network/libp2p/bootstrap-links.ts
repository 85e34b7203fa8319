import type { Connection } from '@libp2p/interface';
import { CODE_P2P, type Multiaddr } from '@multiformats/multiaddr';
import { type BackoffOptions, backoffMs } from '../../lib/backoff.ts';
import { type Chance, systemChance } from '../../lib/chance.ts';
import { type Clock, sleep } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';

/** The longest wait bounds how late a node is found that came back. */
const REDIAL: BackoffOptions = { firstMs: 100, longestMs: 2000, factor: 2 };
/** A connection that ends sooner counts as a failed dial, so that its peer is not dialled in a tight loop. */
const SHORT_LIVED_MS = 1000;
/** Failed dials before the user hears of it, once. */
const DIALS_BEFORE_WARNING = 5;

export interface BootstrapLinksNeeds {
  readonly self: string;
  readonly clock: Clock;
  readonly chance?: Chance;
  readonly logger: Logger;
  dial(address: Multiaddr, signal: AbortSignal): Promise<Connection>;
  isConnected(peer: string): boolean;
}

/** Keeps this node connected with the peers its user named. */
export class BootstrapLinks {
  readonly #addresses: readonly Multiaddr[];
  readonly #needs: BootstrapLinksNeeds;
  readonly #stopped = new AbortController();
  readonly #lost = new Map<string, Set<() => void>>();

  constructor(addresses: readonly Multiaddr[], needs: BootstrapLinksNeeds) {
    this.#addresses = addresses.filter((address) => peerOf(address) !== needs.self);
    this.#needs = needs;
  }

  start(): void {
    for (const address of this.#addresses) void this.#keep(address);
  }

  stop(): void {
    this.#stopped.abort();
    for (const peer of this.#lost.keys()) this.peerDisconnected(peer);
  }

  peerDisconnected(peer: string): void {
    const waiting = this.#lost.get(peer);
    this.#lost.delete(peer);
    for (const wake of waiting ?? []) wake();
  }

  /** Dials, waits until the connection is lost, and starts again. */
  async #keep(address: Multiaddr): Promise<void> {
    const { signal } = this.#stopped;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const peer = await this.#connect(address);
        if (failures >= DIALS_BEFORE_WARNING) this.#log('bootstrap peer is back', address);
        const sinceMs = this.#needs.clock.monotonicMs();
        await this.#untilLost(peer);
        failures = this.#needs.clock.monotonicMs() - sinceMs < SHORT_LIVED_MS ? failures + 1 : 0;
      } catch (error) {
        failures += 1;
        if (failures === DIALS_BEFORE_WARNING) this.#log('bootstrap peer does not answer', address, error);
      }
      const waitMs = backoffMs(REDIAL, failures, this.#needs.chance ?? systemChance);
      await sleep(this.#needs.clock, waitMs, signal).catch(() => {});
    }
  }

  async #connect(address: Multiaddr): Promise<string> {
    const known = peerOf(address);
    if (known !== undefined && this.#needs.isConnected(known)) return known;
    const connection = await this.#needs.dial(address, this.#stopped.signal);
    return connection.remotePeer.toString();
  }

  #untilLost(peer: string): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stopped.signal.aborted || !this.#needs.isConnected(peer)) {
        resolve();
        return;
      }
      const waiting = this.#lost.get(peer) ?? new Set();
      waiting.add(resolve);
      this.#lost.set(peer, waiting);
    });
  }

  #log(message: string, address: Multiaddr, error?: unknown): void {
    const fields = {
      address: address.toString(),
      ...(error === undefined ? {} : { error: messageOf(error) }),
    };
    if (error === undefined) this.#needs.logger.info(message, fields);
    else this.#needs.logger.warn(message, fields);
  }
}

/** Who is behind an address, where it says so. */
export function peerOf(address: Multiaddr): string | undefined {
  return address.getComponents().findLast((component) => component.code === CODE_P2P)?.value;
}
