import { RunRecord } from '../../test/simulation/scripted-executor.ts';

/** What a node's scripted executor ran, and how much of it at the same time. */
export class CountingRunRecord extends RunRecord {
  #running = 0;
  mostAtOnce = 0;

  override started(executionId: string): void {
    super.started(executionId);
    this.#running += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#running);
  }

  override finished(executionId: string): void {
    super.finished(executionId);
    this.#running -= 1;
  }
}
