import type { Writable } from 'node:stream';
import type { Clock, Timer } from '../../lib/clock.ts';
import { PRINT_BATCH_MS } from './child/print-batch.ts';

/** Later than the child itself lets go of what it holds back, so that each time is enough. */
const ASK_AFTER_MS = 2 * PRINT_BATCH_MS;
const ASK = Uint8Array.of(1);

/**
 * Asks the child, a moment after it has printed, for what it may still hold back. A child holds back only what is
 * printed shortly after something that left, so every byte is followed by such a moment; a silent child costs nothing.
 */
export class PrintAsker {
  readonly #clock: Clock;
  readonly #stdin: Writable;
  #timer: Timer | undefined;
  #again = false;
  #stopped = false;

  constructor(clock: Clock, stdin: Writable) {
    this.#clock = clock;
    this.#stdin = stdin;
  }

  /** Something that the program printed has arrived. */
  printed(): void {
    if (this.#timer !== undefined) this.#again = true;
    else this.#ask();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #ask(): void {
    if (this.#stopped) return;
    this.#again = false;
    this.#timer = this.#clock.after(ASK_AFTER_MS, () => {
      this.#timer = undefined;
      if (this.#stdin.writableLength === 0) this.#stdin.write(ASK);
      if (this.#again) this.#ask();
    });
  }
}
