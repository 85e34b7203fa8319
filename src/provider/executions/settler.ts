import { canMoveContract, type ContractRecord, moveContract } from '../../domain/market/contract.ts';
import type { Desired } from '../../domain/market/serving.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { ProviderContent, ProviderExecution, ProviderStore } from '../ports.ts';
import { type LiveExecutions, isWorkOver } from './live-executions.ts';
import type { Supervisor } from './supervisor.ts';

export interface SettlerNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly live: LiveExecutions;
  readonly store: Pick<ProviderStore, 'contract'>;
  readonly content: Pick<ProviderContent, 'unpin'>;
  readonly supervisor: Pick<Supervisor, 'stop'>;
  /** The requester took the result of its contract. */
  readonly onKept?: (requester: string) => void;
}

const UNWANTED = { exitReason: 'cancelled', message: 'The requester does not want it any more.' } as const;

/** Does what requesters want of their executions, and lets go of those they are done with. */
export class Settler {
  readonly #needs: SettlerNeeds;
  readonly #settling = new Map<string, Promise<void>>();

  constructor(needs: SettlerNeeds) {
    this.#needs = needs;
  }

  /** The answer to one line of a serving list. */
  want(requester: string, executionId: string, attempt: number, desired: Desired): void {
    const execution = this.#needs.live.get(executionId);
    if (execution?.requester !== requester || execution.item.attempt !== attempt || desired === 'run') return;
    if (isWorkOver(execution.item.state)) this.settle(execution, desired);
    else this.#needs.supervisor.stop(executionId, UNWANTED);
  }

  /** Closes the contract and forgets the execution, in the background: its result may go. */
  settle(execution: ProviderExecution, desired: 'stop' | 'done'): void {
    const { executionId } = execution.item;
    if (this.#settling.has(executionId)) return;
    const settling = this.#settle(execution, desired)
      .catch((error: unknown) => {
        const reason = messageOf(error);
        this.#needs.logger.warn('an execution was not settled', { executionId, reason });
      })
      .finally(() => this.#settling.delete(executionId));
    this.#settling.set(executionId, settling);
  }

  /** Resolves when nothing is being settled any more: a node that stops does so before its store is closed. */
  async idle(): Promise<void> {
    while (this.#settling.size > 0) await Promise.all(this.#settling.values());
  }

  async #settle(execution: ProviderExecution, desired: 'stop' | 'done'): Promise<void> {
    const { store, clock, content, live } = this.#needs;
    const { contractId, executionId, state } = execution.item;
    if (!execution.settled) {
      const contract = await store.contract(contractId);
      const end = desired === 'done' && state === 'Publishing' ? 'COMPLETED' : 'TERMINATED';
      await live.settle(executionId, {
        contracts: movedTo(contract, end, clock.livedMs(), execution.item.startedAt),
      });
      if (end === 'COMPLETED') this.#needs.onKept?.(execution.requester);
    }
    // Unpinned before it is forgotten: a crash in between repeats this, and leaves no pin behind.
    await content.unpin(contractId);
    await live.forget(executionId);
  }
}

function movedTo(
  contract: ContractRecord | undefined,
  state: 'COMPLETED' | 'TERMINATED',
  now: number,
  startedAt: number | undefined,
): readonly ContractRecord[] {
  if (contract === undefined || !canMoveContract(contract.state, state)) return [];
  const why = { code: 'never-begun', data: {} } as const;
  const about = state === 'TERMINATED' && startedAt === undefined ? { why } : {};
  return [moveContract(contract, state, now, about)];
}
