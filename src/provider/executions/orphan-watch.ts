import type { ContractTerms } from '../../domain/market/contract.ts';
import type { ServingItem } from '../../domain/market/serving.ts';
import { type Clock, type Timer, every } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { ProviderExecution, ProviderStore } from '../ports.ts';
import { type LiveExecutions, isWorkOver } from './live-executions.ts';
import type { Hearing } from './hearing.ts';
import type { Settler } from './settler.ts';
import type { Supervisor } from './supervisor.ts';

export interface OrphanWatchNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly live: LiveExecutions;
  readonly hearing: Pick<Hearing, 'atMs' | 'keepOnly'>;
  readonly store: Pick<ProviderStore, 'contract'>;
  readonly supervisor: Pick<Supervisor, 'stop'>;
  readonly settler: Pick<Settler, 'settle'>;
  /** Ends of what never began that are still told; the oldest is told no more. */
  readonly mostUnbegun: number;
  /** The requester left a contract alone: told once for each. */
  readonly onAbandoned?: (requester: string) => void;
}

type Agreed = Pick<ContractTerms, 'orphanAfterMs' | 'retentionMs'>;

interface Kept {
  readonly agreed: Agreed;
  /** When its work was first seen to be over, on the clock that does not jump. */
  overSinceMs: number | undefined;
  abandoned: boolean;
}

function isUnbegunEnd({ state, startedAt, resultCid }: ServingItem): boolean {
  return isWorkOver(state) && startedAt === undefined && resultCid === undefined;
}

const ORPHANED = { exitReason: 'lost', message: 'The requester was out of reach for too long.' } as const;

/**
 * Ends work whose requester is out of reach for longer than the terms allow, and lets results go that nobody
 * fetched in the agreed time. Both times start anew when this node does.
 */
export class OrphanWatch {
  readonly #needs: OrphanWatchNeeds;
  readonly #kept = new Map<string, Kept>();
  #timer: Timer | undefined;

  constructor(needs: OrphanWatchNeeds) {
    this.#needs = needs;
  }

  start(periodMs: number): void {
    this.#timer = every(this.#needs.clock, periodMs, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#kept.clear();
  }

  async #look(): Promise<void> {
    const executions = this.#needs.live.all();
    this.#forgetOthers(executions);
    this.#letGo(executions);
    for (const execution of executions) {
      if (execution.settled) continue;
      try {
        this.#judge(execution, await this.#keptOf(execution));
      } catch (error) {
        const { executionId } = execution.item;
        this.#needs.logger.warn('an execution was not looked at', { executionId, reason: messageOf(error) });
      }
    }
  }

  #judge(execution: ProviderExecution, kept: Kept): void {
    const nowMs = this.#needs.clock.monotonicMs();
    const { executionId, state } = execution.item;
    if (isWorkOver(state)) {
      kept.overSinceMs ??= nowMs;
      if (nowMs - kept.overSinceMs < kept.agreed.retentionMs) return;
      if (state === 'Publishing') this.#abandoned(execution, kept);
      this.#needs.settler.settle(execution, 'stop');
      return;
    }
    if (nowMs - this.#needs.hearing.atMs(execution.requester) >= kept.agreed.orphanAfterMs) {
      this.#abandoned(execution, kept);
      this.#needs.supervisor.stop(executionId, ORPHANED);
    }
  }

  #abandoned({ requester }: ProviderExecution, kept: Kept): void {
    if (kept.abandoned) return;
    kept.abandoned = true;
    this.#needs.onAbandoned?.(requester);
  }

  async #keptOf({ item }: ProviderExecution): Promise<Kept> {
    const known = this.#kept.get(item.executionId);
    if (known !== undefined) return known;
    const contract = await this.#needs.store.contract(item.contractId);
    const agreed = contract?.terms.value ?? { orphanAfterMs: 0, retentionMs: 0 };
    const kept: Kept = { agreed, overSinceMs: undefined, abandoned: false };
    this.#kept.set(item.executionId, kept);
    return kept;
  }

  /** Of what never began there is nothing to fetch: who is told no more learns of it by silence, as from a lost provider. */
  #letGo(executions: readonly ProviderExecution[]): void {
    const unbegun = executions.filter(({ settled, item }) => !settled && isUnbegunEnd(item));
    const surplus = unbegun.length - this.#needs.mostUnbegun;
    if (surplus <= 0) return;
    const oldest = unbegun.toSorted((a, b) => (a.item.finishedAt ?? 0) - (b.item.finishedAt ?? 0));
    for (const execution of oldest.slice(0, surplus)) this.#needs.settler.settle(execution, 'stop');
  }

  #forgetOthers(executions: readonly ProviderExecution[]): void {
    const ids = new Set(executions.map(({ item }) => item.executionId));
    const requesters = new Set(executions.map(({ requester }) => requester));
    for (const id of this.#kept.keys()) if (!ids.has(id)) this.#kept.delete(id);
    this.#needs.hearing.keepOnly(requesters);
  }
}
