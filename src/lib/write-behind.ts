import type { Clock, Timer } from './clock.ts';

export interface WriteBehindNeeds {
  readonly clock: Clock;
  /** Writes the newest state of what changed. */
  readonly write: (keys: readonly string[]) => Promise<void>;
  /** What was not written is not tried again before it changes again. */
  readonly onFailed: (error: unknown) => void;
}

/** Writes what changed a while later, all in one: for memories that may lose their last moments in a crash. */
export class WriteBehind {
  readonly #delayMs: number;
  readonly #needs: WriteBehindNeeds;
  readonly #changed = new Set<string>();
  #timer: Timer | undefined;
  /** Settles when the write before is through; never rejects. */
  #writing: Promise<void> = Promise.resolve();

  constructor(delayMs: number, needs: WriteBehindNeeds) {
    this.#delayMs = delayMs;
    this.#needs = needs;
  }

  changed(key: string): void {
    this.#changed.add(key);
    this.#timer ??= this.#needs.clock.after(this.#delayMs, () => void this.flush());
  }

  /** Writes at once what waits. Resolves when everything that changed before is written, or could not be. */
  flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#changed.size === 0) return this.#writing;
    const keys = [...this.#changed];
    this.#changed.clear();
    this.#writing = this.#writing.then(() => this.#needs.write(keys)).catch(this.#needs.onFailed);
    return this.#writing;
  }
}
