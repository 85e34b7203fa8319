import { RunRecord } from '../../test/simulation/scripted-drivers.ts';

/** What a node's scripted engines ran, and how much of it at the same time. */
export class CountingRunRecord extends RunRecord {
  #running = 0;
  mostAtOnce = 0;

  override started(executionId: string, run: number): void {
    super.started(executionId, run);
    this.#running += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#running);
  }

  override finished(executionId: string, run: number): void {
    super.finished(executionId, run);
    this.#running -= 1;
  }
}
