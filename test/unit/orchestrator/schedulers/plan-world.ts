import type { ContractRecord } from '../../../../src/domain/market/contract.ts';
import {
  type Execution,
  isCommitted,
  isLive,
  observe,
  type Observed,
} from '../../../../src/domain/market/execution.ts';
import type { Job } from '../../../../src/domain/job/job.ts';
import type { JobSnapshot, Plan } from '../../../../src/domain/job/plan.ts';
import type { EligibleComputeProviderData, Search } from '../../../../src/domain/market/search.ts';
import { closureChange, type Resolution } from '../../../../src/orchestrator/negotiation/closure-fact.ts';
import { planToCommit } from '../../../../src/orchestrator/planners/state-updater.ts';
import { reconcileBatch } from '../../../../src/orchestrator/schedulers/batch.ts';
import { servingChange } from '../../../../src/orchestrator/serving/serving-fact.ts';
import type { JobChange } from '../../../../src/orchestrator/job-lane.ts';
import { contractOf, endOf, entryOf, itemOf, LOCK, NOW } from '../../fakes/market.ts';

/** One job with a store and a network made of nothing but values: plans are carried out, facts come when told. */
export class PlanWorld {
  now = NOW;
  job: Job;
  search: Search | undefined;
  revision = 1;
  requeuedAt: number | undefined;
  readonly executions = new Map<string, Execution>();
  readonly contracts = new Map<string, ContractRecord>();
  readonly open = new Set<string>();
  #ids = 0;

  constructor(job: Job) {
    this.job = job;
  }

  get live(): readonly Execution[] {
    return [...this.executions.values()].filter(isLive);
  }

  plan(): Plan {
    return reconcileBatch(
      { ...this.#snapshot(), openNegotiations: new Set(this.open), lostAfterMs: 5000, maxSearchRounds: 5 },
      this.now,
    );
  }

  /** False when the plan changed nothing. */
  carryOut(plan: Plan): boolean {
    const commit = planToCommit(plan, this.#snapshot(), {
      now: this.now,
      contract: (contractId) => this.contracts.get(contractId),
      newRequestId: () => `round-${(this.#ids += 1)}`,
      reserveSearch: () => this.#ids % 3 !== 0,
      propose: (execution) =>
        this.open.has(execution.provider)
          ? contractOf(`contract-${execution.id}`, { executionId: execution.id, state: 'PROPOSED' })
          : undefined,
    });
    for (const action of plan.actions) {
      if (action.kind === 'CloseSearch') this.#release();
      if (action.kind === 'StartSearch') this.open.clear();
      if (action.kind === 'Requeue') this.requeuedAt = action.waitUntil;
    }
    if (commit === undefined) return false;
    this.#apply(commit);
    return true;
  }

  /** The search on the air (or waiting for a slot) ends with these bids. */
  closeSearch(entries: readonly EligibleComputeProviderData[]): void {
    if (this.search === undefined || this.search.state === 'closed') return;
    const { requestId } = this.search;
    const own = entries.map((entry) => ({
      ...entryOf(entry.provider, { ...entry.bid.value, requestId }),
      receivedAt: this.now,
    }));
    for (const { provider } of own) this.open.add(provider);
    this.#apply({
      search: {
        ...this.search,
        state: 'closed',
        closedAt: this.now,
        closeReason: 'everyone-answered',
        index: { ...this.search.index, entries: own },
      },
      events: [],
    });
  }

  answerLock(execution: Execution, granted: boolean): void {
    if (execution.observed.state !== 'New' && execution.observed.state !== 'AskForBid') return;
    const asking =
      execution.observed.state === 'New'
        ? observe(execution, { state: 'AskForBid', askedAt: this.now })
        : execution;
    const observed: Observed = granted
      ? { state: 'AskForBidAccepted', lock: LOCK }
      : { state: 'AskForBidRejected', end: endOf('denied', { finishedAt: this.now }) };
    const answered = { ...observe(asking, observed), ...(granted ? {} : { desired: 'Stopped' as const }) };
    this.#apply({ executions: [answered], events: [] });
  }

  resolveProposal(execution: Execution, kind: Resolution['kind']): void {
    const contract = this.contracts.get(execution.contractId ?? '');
    if (contract === undefined) return;
    const resolution: Resolution =
      kind === 'accepted'
        ? {
            kind,
            contract: {
              contractId: contract.contractId,
              terms: contract.terms,
              providerSignature: Uint8Array.of(1),
            },
          }
        : { kind, why: { code: 'contract-never', data: { text: 'no' } } };
    const change = closureChange(execution, contract, resolution, this.now);
    if (change !== undefined) this.#apply(change);
  }

  report(execution: Execution, outcome: 'Running' | 'Publishing' | 'Failed' | 'Completed'): void {
    if (!isCommitted(execution) || execution.contractId === undefined) return;
    const over = outcome === 'Completed' || outcome === 'Publishing';
    const item = itemOf(outcome === 'Completed' ? 'Publishing' : outcome, {
      executionId: execution.id,
      attempt: execution.attempt,
      contractId: execution.contractId,
      sequence: execution.sequence + 1,
      ...(over
        ? { resultCid: 'result', exitReason: 'completed' as const }
        : { exitReason: 'internal' as const }),
    });
    const change = servingChange(
      item,
      execution,
      this.contracts.get(execution.contractId),
      outcome === 'Completed' ? 'here' : 'not-here',
      this.now,
    );
    if (change !== undefined) this.#apply(change);
  }

  stop(): void {
    this.#apply({ job: { ...this.job, stopRequested: true }, events: [] });
  }

  #release(): void {
    this.open.clear();
    if (this.search !== undefined && this.search.state === 'open')
      this.#apply({ search: { ...this.search, state: 'closed', closeReason: 'cancelled' }, events: [] });
  }

  #apply(change: JobChange): void {
    if (change.job !== undefined) this.job = change.job;
    if (change.search !== undefined) this.search = change.search;
    for (const execution of change.executions ?? []) this.executions.set(execution.id, execution);
    for (const contract of change.contracts ?? []) this.contracts.set(contract.contractId, contract);
    this.revision += 1;
  }

  #snapshot(): JobSnapshot {
    return {
      job: this.job,
      executions: [...this.executions.values()],
      revision: this.revision,
      ...(this.search === undefined ? {} : { search: this.search }),
    };
  }
}
