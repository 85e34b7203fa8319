import { CodedError } from '../../lib/coded-error.ts';

export interface UnsentLimits {
  /** What waits to be sent on one connection, and on all of them. */
  readonly unsentPerConnectionBytes: number;
  readonly unsentInTotalBytes: number;
}

/** A transport connection, as far as what waits to be sent on it is concerned. */
export interface Sender {
  readonly unsentBytes: number;
  abort(error: Error): void;
}

/**
 * What was written to connections and not taken by the system yet. Channels wait for room, but the answers that the
 * multiplexer gives by itself do not: a peer that asks and never reads would have all of them kept here. Beyond the
 * bounds the connection is ended on which most of it waits.
 */
export class UnsentBytes<One extends Sender = Sender> {
  readonly #limits: UnsentLimits;
  readonly #ended: (sender: One) => void;
  readonly #senders = new Map<One, number>();
  #total = 0;

  constructor(limits: UnsentLimits, ended: (sender: One) => void) {
    this.#limits = limits;
    this.#ended = ended;
  }

  get total(): number {
    return this.#total;
  }

  /** Told whenever there may be more or less of it than before. */
  changed(sender: One): void {
    const bytes = sender.unsentBytes;
    this.#count(sender, bytes);
    if (bytes > this.#limits.unsentPerConnectionBytes) this.#end(sender);
    while (this.#total > this.#limits.unsentInTotalBytes) {
      const [first, ...rest] = this.#senders;
      if (first === undefined) return;
      this.#end(rest.reduce((most, one) => (one[1] > most[1] ? one : most), first)[0]);
    }
  }

  #count(sender: One, bytes: number): void {
    this.#total += bytes - (this.#senders.get(sender) ?? 0);
    if (bytes === 0) this.#senders.delete(sender);
    else this.#senders.set(sender, bytes);
  }

  #end(sender: One): void {
    this.#count(sender, 0);
    this.#ended(sender);
    sender.abort(new CodedError('UNSENT_TOO_MUCH', 'The other side does not read what it asks for.'));
  }
}
