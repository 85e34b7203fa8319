/**
 * Shares one run of costly work, such as a disk sync, among all who ask for it while another run is going on:
 * what was prepared before the call is covered by the run that the promise stands for.
 */
export class GroupedWork {
  readonly #work: () => Promise<void>;
  #current: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  /** Settles as the first run does that starts after this call. */
  run(): Promise<void> {
    this.#next ??= this.#current.then(() => this.#begin());
    return this.#next;
  }

  #begin(): Promise<void> {
    this.#next = undefined;
    const run = this.#work();
    this.#current = run.catch(() => {});
    return run;
  }
}
