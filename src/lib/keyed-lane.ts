/**
 * Runs work one at a time per key, in the order it was asked for; different keys do not wait for each other.
 * A key costs memory only while work for it is waiting or running.
 */
export class KeyedLane {
  readonly #tails = new Map<string, Promise<unknown>>();

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const result = before.then(work, work);
    const forget = (): void => this.#forget(key, tail);
    const tail: Promise<void> = result.then(forget, forget);
    this.#tails.set(key, tail);
    return result;
  }

  #forget(key: string, tail: Promise<unknown>): void {
    if (this.#tails.get(key) === tail) this.#tails.delete(key);
  }
}
