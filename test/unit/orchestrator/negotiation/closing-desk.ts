import type { Execution, Observed } from '../../../../src/domain/market/execution.ts';
import type { ContractRecord } from '../../../../src/domain/market/contract.ts';
import type { JobEvent } from '../../../../src/domain/job/job-event.ts';
import type { JobSnapshot } from '../../../../src/domain/job/plan.ts';
import { contentIdOf } from '../../../../src/lib/canonical.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { JobLane } from '../../../../src/orchestrator/job-lane.ts';
import { ContractCloser } from '../../../../src/orchestrator/negotiation/contract-closer.ts';
import { Negotiator } from '../../../../src/orchestrator/negotiation/negotiator.ts';
import { defaultOrchestratorLimits } from '../../../../src/orchestrator/options.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';
import {
  entryOf,
  evidence,
  executionOf,
  jobOf,
  notaryOf,
  REQUESTER,
  roundOf,
  termsOf,
} from '../../fakes/market.ts';
import { ScriptedMarket, ScriptedNegotiation } from '../../fakes/market-desk.ts';
import { openTestStore, type TestStore } from '../../fakes/stores.ts';

export const ACCEPT_WITHIN_MS = 5000;
export const MARGIN_MS = 2000;

/** The requester's side of one negotiation, on a real store and without a network. */
export class ClosingDesk {
  readonly clock = new FakeClock();
  readonly market = new ScriptedMarket();
  readonly negotiation = new ScriptedNegotiation('a');
  readonly stopping = new AbortController();
  readonly evaluated: string[] = [];
  readonly unknown: string[] = [];
  checked: () => Promise<{ ok: true } | { ok: false; reason: string }> = async () => ({ ok: true });
  closer: ContractCloser;
  negotiator: Negotiator;
  readonly #stored: TestStore;

  private constructor(stored: TestStore, clock: FakeClock) {
    this.#stored = stored;
    this.clock = clock;
    const store = stored.store.jobs;
    const lane = new JobLane({ clock, chance: () => 0, store, signal: this.stopping.signal });
    const base = {
      clock,
      logger: silentLogger,
      market: this.market,
      lane,
      evaluate: (_job: unknown, trigger: string) => void this.evaluated.push(trigger),
    };
    const limits = { ...defaultOrchestratorLimits, acceptMarginMs: MARGIN_MS };
    this.closer = new ContractCloser(limits, {
      ...base,
      chance: () => 0,
      store,
      check: { check: () => this.checked() },
      onUnknown: ({ contractId }) => void this.unknown.push(contractId),
      signal: this.stopping.signal,
    });
    this.negotiator = new Negotiator(limits, {
      ...base,
      notary: notaryOf(REQUESTER),
      dispatcher: {
        negotiation: (_jobId, _requestId, provider) => (provider === 'a' ? this.negotiation : undefined),
      },
      closer: this.closer,
    });
  }

  static async open(): Promise<ClosingDesk> {
    const clock = new FakeClock();
    return new ClosingDesk(await openTestStore(clock), clock);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.clock.runUntilSettled(this.#stored.store.stop(), 10_000);
  }

  /** Stores a job with one execution in this state, and its contract where there is one. */
  async store(observed: Observed, contract?: ContractRecord): Promise<JobSnapshot> {
    const bound =
      contract === undefined ? {} : { contractId: contract.contractId, desired: 'Running' as const };
    const execution = executionOf(0, 1, 'a', observed, bound);
    const commit = this.#stored.store.jobs.commit({
      jobId: 'job',
      revision: 0,
      job: jobOf(),
      executions: [execution],
      search: roundOf([entryOf('a')]),
      ...(contract === undefined ? {} : { contracts: [contract] }),
      events: [],
    });
    return await this.clock.runUntilSettled(commit, 1000);
  }

  /** A proposal of the first execution, proposed now. */
  proposal(): ContractRecord {
    const terms = evidence(
      'contract-terms',
      termsOf({ provider: 'a', acceptWithinMs: ACCEPT_WITHIN_MS, proposedAt: this.clock.nowMs() }),
      REQUESTER,
    );
    return {
      contractId: contentIdOf(terms.payload),
      executionId: terms.value.executionId,
      jobId: 'job',
      state: 'PROPOSED',
      terms,
      updatedAt: this.clock.nowMs(),
    };
  }

  /** Writes down that this was proposed. */
  async proposed(execution: Execution, contract: ContractRecord): Promise<void> {
    const { contractId } = contract;
    const commit = this.#stored.store.jobs.commit({
      jobId: 'job',
      revision: 2,
      executions: [{ ...execution, contractId, desired: 'Running' }],
      contracts: [contract],
      events: [],
    });
    await this.clock.runUntilSettled(commit, 1000);
  }

  /** The execution as it is on disk. */
  async execution(): Promise<Execution> {
    const snapshot = await this.clock.runUntilSettled(this.#stored.store.jobs.snapshot('job'), 1000);
    const [execution] = snapshot?.executions ?? [];
    if (execution === undefined) throw new Error('no execution');
    return execution;
  }

  async contract(contractId: string): Promise<ContractRecord | undefined> {
    return await this.clock.runUntilSettled(this.#stored.store.jobs.contract(contractId), 1000);
  }

  async end(observed: Observed): Promise<void> {
    const execution = { ...(await this.execution()), observed, desired: 'Stopped' as const };
    const commit = this.#stored.store.jobs.commit({
      jobId: 'job',
      revision: 1,
      executions: [execution],
      events: [],
    });
    await this.clock.runUntilSettled(commit, 1000);
  }

  async newestEvent(): Promise<JobEvent | undefined> {
    return (await this.#events()).at(-1);
  }

  #events(): Promise<readonly JobEvent[]> {
    return this.clock.runUntilSettled(this.#stored.store.jobs.events('job', 0, 100), 1000);
  }

  async events(): Promise<readonly string[]> {
    return (await this.#events()).map(({ type, code }) => (code === undefined ? type : `${type} ${code}`));
  }
}
