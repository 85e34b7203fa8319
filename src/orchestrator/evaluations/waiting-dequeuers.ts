import type { Clock } from '../../lib/clock.ts';
import type { Delivery, EvaluationType } from './broker-contract.ts';

interface Dequeuer {
  readonly types: readonly EvaluationType[];
  /** Ends the wait and undoes its timer and listener. */
  readonly end: () => void;
  readonly resolve: (delivery: Delivery | undefined) => void;
  readonly reject: (reason: unknown) => void;
}

/** Calls of `dequeue` that found nothing, in the order they came. */
export class WaitingDequeuers {
  readonly #clock: Clock;
  readonly #dequeuers = new Set<Dequeuer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#dequeuers.size;
  }

  /** Waits for `serve`; `timeoutMs` 0 waits without end. */
  wait(
    types: readonly EvaluationType[],
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Delivery | undefined> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        dequeuer.end();
        reject(signal?.reason);
      };
      const onTimeout = (): void => {
        dequeuer.end();
        resolve(undefined);
      };
      const dequeuer: Dequeuer = {
        types,
        resolve,
        reject,
        end: () => {
          timer?.cancel();
          signal?.removeEventListener('abort', onAbort);
          this.#dequeuers.delete(dequeuer);
        },
      };
      this.#dequeuers.add(dequeuer);
      signal?.addEventListener('abort', onAbort, { once: true });
      const timer = timeoutMs > 0 ? this.#clock.after(timeoutMs, onTimeout) : undefined;
    });
  }

  /** Offers each waiting dequeuer, the oldest first, what `take` gives for its types. */
  serve(take: (types: readonly EvaluationType[]) => Delivery | undefined): void {
    for (const dequeuer of this.#dequeuers) {
      const delivery = take(dequeuer.types);
      if (delivery === undefined) continue;
      dequeuer.end();
      dequeuer.resolve(delivery);
    }
  }

  rejectAll(reason: () => unknown): void {
    for (const dequeuer of this.#dequeuers) {
      dequeuer.end();
      dequeuer.reject(reason());
    }
  }
}
