import type { JobStore } from './ports.ts';

/** Commits of one job as something to wait for; a commit between two waits is not missed. */
export class JobChanges {
  readonly #end: () => void;
  #changed = Promise.withResolvers<void>();

  constructor(jobId: string, store: Pick<JobStore, 'watch'>, signal: AbortSignal) {
    const wake = (): void => {
      const { resolve } = this.#changed;
      this.#changed = Promise.withResolvers<void>();
      resolve();
    };
    const unwatch = store.watch(jobId, wake);
    signal.addEventListener('abort', wake, { once: true });
    this.#end = () => {
      unwatch();
      signal.removeEventListener('abort', wake);
      wake();
    };
  }

  /** To be taken before looking at the job: it settles at the first commit from then on, or with the signal. */
  next(): Promise<void> {
    return this.#changed.promise;
  }

  end(): void {
    this.#end();
  }
}
