import type { ContractRecord } from '../../domain/market/contract.ts';
import type { Evidence } from '../../domain/market/evidence.ts';
import type { EndReason } from '../../domain/market/end-reason.ts';
import { type Execution, isCommitted, isLive } from '../../domain/market/execution.ts';
import type { Job } from '../../domain/job/job.ts';
import type { JobSnapshot } from '../../domain/job/plan.ts';
import type { Desired, ServingAnswer, ServingItem, ServingList } from '../../domain/market/serving.ts';
import type { KeptError } from '../../domain/units/reason.ts';
import type { Chance } from '../../lib/chance.ts';
import { type Clock, sleep, within } from '../../lib/clock.ts';
import { codeOf, messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { JobLane } from '../job-lane.ts';
import type { ContentFetcher, JobStore } from '../ports.ts';
import type { Counterparts } from './counterparts.ts';
import { jobIdOf } from './job-id.ts';
import { LateOutput } from './late-output.ts';
import type { Liveness } from './liveness.ts';
import { ResultCollector } from './result-collector.ts';
import { desiredFor, isNews, type ResultState, servingChange } from './serving-fact.ts';

export interface ServingHandlerNeeds {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly logger: Logger;
  readonly store: Pick<JobStore, 'snapshot' | 'contract'>;
  readonly lane: JobLane;
  readonly liveness: Liveness;
  readonly counterparts: Pick<Counterparts, 'isOf'>;
  readonly content: Pick<ContentFetcher, 'fetch' | 'pin' | 'unpin' | 'room' | 'sizeOf'>;
  readonly evaluate: (job: Job, trigger: 'exec-update' | 'exec-failure') => void;
  /** A provider holds a contract whose acceptance is not on disk here: resolves when its outcome is. */
  readonly resolve: (execution: Execution, contract: ContractRecord) => Promise<void>;
  /** Aborted when the node stops. */
  readonly signal: AbortSignal;
}

/** For the outcome of a contract, before a list is answered. */
const LONGEST_WAIT_MS = 1000;
/** Items of one list that may have to be looked up on disk, as nothing is known of them; others wait for the next list. */
const MOST_STRAYS = 64;
/** Items that are looked at in one turn of the event loop. */
const ITEMS_AT_ONCE = 32;

/** Takes in serving lists: facts become commits, results are fetched, and the answer is the desired state of each item. */
export class ServingHandler {
  readonly #needs: ServingHandlerNeeds;
  readonly #results: ResultCollector;
  readonly #late: LateOutput;
  /** Results that are on their way here, by execution id, until they are written down. */
  readonly #collecting = new Set<string>();

  constructor(needs: ServingHandlerNeeds) {
    this.#needs = needs;
    this.#results = new ResultCollector(needs);
    this.#late = new LateOutput({ ...needs, results: this.#results });
  }

  async take(provider: string, { value: { number, items } }: Evidence<ServingList>): Promise<ServingAnswer> {
    const looked = this.#lookedAt(provider, items);
    const answers: Promise<ServingAnswer['desired'][number]>[] = [];
    for (const [index, item] of looked.entries()) {
      if (index > 0 && index % ITEMS_AT_ONCE === 0) await this.#nextTurn(answers);
      const { executionId, attempt } = item;
      answers.push(this.#readable(provider, item).then((desired) => ({ executionId, attempt, desired })));
    }
    return { number, desired: await Promise.all(answers) };
  }

  /** How many items of a list have to be looked up to be told from made-up ones. */
  strays(provider: string, items: readonly ServingItem[]): number {
    const strays = items.filter(({ executionId }) => !this.#needs.counterparts.isOf(provider, executionId));
    return Math.min(strays.length, MOST_STRAYS);
  }

  /** All that is known to be the provider's own, and a few of the others. */
  #lookedAt(provider: string, items: readonly ServingItem[]): readonly ServingItem[] {
    let left = MOST_STRAYS;
    return items.filter(({ executionId }) => {
      if (this.#needs.counterparts.isOf(provider, executionId)) return true;
      left -= 1;
      return left >= 0;
    });
  }

  /** What was begun goes on meanwhile, and one that fails is told with the whole. */
  async #nextTurn(begun: readonly Promise<unknown>[]): Promise<void> {
    void Promise.allSettled(begun.slice(-ITEMS_AT_ONCE));
    await sleep(this.#needs.clock, 0);
  }

  /** The execution is over. */
  forget(executionId: string): void {
    this.#results.forget(executionId);
  }

  /** Of a job whose record is damaged nothing is known: its work goes on until its own deadlines, and others are served. */
  async #readable(provider: string, item: ServingItem): Promise<Desired> {
    try {
      return await this.#item(provider, item);
    } catch (error) {
      if (codeOf(error) === 'RECORD_UNREADABLE') return 'run';
      throw error;
    }
  }

  async #item(provider: string, item: ServingItem): Promise<Desired> {
    const { store, liveness } = this.#needs;
    const jobId = jobIdOf(item.executionId);
    let execution = find(await store.snapshot(jobId), item.executionId);
    if (execution === undefined || execution.provider !== provider) return 'stop';
    if (!isCommitted(execution) && execution.contractId === item.contractId) {
      await this.#resolve(execution, item.contractId);
      execution = find(await store.snapshot(jobId), item.executionId) ?? execution;
    }
    if (isCommitted(execution)) liveness.seen(execution.id);
    const desired = desiredFor(item, execution, provider);
    if (desired !== 'run') return this.#late.answer(item, execution, desired);
    if (!isNews(item, execution)) return desired;
    const after = find(await this.#apply(item), item.executionId) ?? execution;
    return this.#late.answer(item, after, desiredFor(item, after, provider));
  }

  /** The work can be under way before the word of its contract is through; a list does not wait for that for long. */
  async #resolve(execution: Execution, contractId: string): Promise<void> {
    const contract = await this.#needs.store.contract(contractId);
    if (contract?.state !== 'PROPOSED') return;
    const resolved = this.#needs.resolve(execution, contract);
    if (!isLive(execution)) return;
    await within(this.#needs.clock, LONGEST_WAIT_MS, resolved, () => undefined);
  }

  /** The list is answered at once; a result is fetched beside it, and the next list learns of it. */
  async #apply(item: ServingItem): Promise<JobSnapshot | undefined> {
    const { executionId } = item;
    const resultCid = item.state === 'Cancelled' ? undefined : item.resultCid;
    if (resultCid === undefined) return this.#write(item, 'none');
    if (this.#collecting.has(executionId)) return undefined;
    this.#collecting.add(executionId);
    this.#collect(item, resultCid)
      .catch((error: unknown) => {
        const reason = messageOf(error);
        this.#needs.logger.error('a result was not written down', { executionId, reason });
      })
      .finally(() => this.#collecting.delete(executionId));
    return item.state === 'Publishing' ? this.#write(item, 'not-here') : undefined;
  }

  /** Completed means that every byte is here and was checked. */
  async #collect(item: ServingItem, resultCid: string): Promise<void> {
    const collected = await this.#results.collect(item, resultCid);
    if (this.#needs.signal.aborted) return;
    if (collected.kind === 'here') {
      // Cancelled or given up meanwhile: nobody will ask for it.
      if ((await this.#write(item, 'here')) === undefined) await this.#results.drop(item.executionId);
      return;
    }
    // The end of a failed attempt is known without its output.
    if (item.state !== 'Publishing') await this.#write(item, 'none');
    else if (collected.kind === 'not-yet') return;
    else if (collected.kind === 'no-room')
      return collected.isNew ? this.#tellOfWait(item, collected.error) : undefined;
    else if (collected.kind === 'never-room') {
      const why: EndReason = { code: 'result-not-kept', data: collected.error };
      // Not the provider's fault, and of no use to be done again.
      await this.#write({ ...item, state: 'Failed', exitReason: 'denied' }, 'none', why);
    } else {
      const why: EndReason = { code: 'result-not-fetched', data: collected.error };
      const result = collected.bad ? 'bad' : 'none';
      await this.#write({ ...item, state: 'Failed', exitReason: 'lost' }, result, why);
    }
    await this.#results.drop(item.executionId);
  }

  async #tellOfWait({ executionId }: ServingItem, error: KeptError): Promise<void> {
    const { clock, lane } = this.#needs;
    await lane.change(jobIdOf(executionId), (snapshot) => {
      const current = find(snapshot, executionId);
      if (current?.observed.state !== 'Publishing') return undefined;
      const about = { at: clock.livedMs(), executionId, provider: current.provider };
      const why = { code: 'result-waits', data: error } as const;
      return { events: [{ type: 'execution.publishing', ...about, code: 'NO_ROOM', why }] };
    });
  }

  /** `why` is this node's own word on the end, where that is not the provider's. */
  async #write(item: ServingItem, result: ResultState, why?: EndReason): Promise<JobSnapshot | undefined> {
    const { clock, lane, store, evaluate } = this.#needs;
    const contract = await store.contract(item.contractId);
    const after = await lane.change(jobIdOf(item.executionId), (snapshot) => {
      const current = find(snapshot, item.executionId);
      return current === undefined
        ? undefined
        : servingChange(item, current, contract, result, clock.livedMs(), why);
    });
    if (after !== undefined && item.state !== 'Running') {
      evaluate(after.job, item.state === 'Failed' ? 'exec-failure' : 'exec-update');
    }
    return after;
  }
}

function find(snapshot: JobSnapshot | undefined, executionId: string): Execution | undefined {
  return snapshot?.executions.find((known) => known.id === executionId);
}
