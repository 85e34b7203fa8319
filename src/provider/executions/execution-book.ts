import { CodedError } from '../../lib/coded-error.ts';
import type { ServingItem } from '../../domain/serving.ts';
import type { ProviderCommit, ProviderExecution, ProviderStore } from '../ports.ts';

type ServingState = ServingItem['state'];

const ARROWS: Readonly<Record<ServingState, readonly ServingState[]>> = {
  BidAccepted: ['Running', 'Failed', 'Cancelled'],
  Running: ['Publishing', 'Failed', 'Cancelled'],
  Publishing: ['Failed', 'Cancelled'],
  Failed: [],
  Cancelled: [],
};

/** The executions this provider answers for. What it says is on disk: a change is committed before it is shown. */
export class ExecutionBook {
  readonly #store: Pick<ProviderStore, 'commit'>;
  readonly #byId = new Map<string, ProviderExecution>();

  constructor(store: Pick<ProviderStore, 'commit'>) {
    this.#store = store;
  }

  /** Takes in what is on disk already. */
  add(execution: ProviderExecution): void {
    this.#byId.set(execution.item.executionId, execution);
  }

  get(executionId: string): ProviderExecution | undefined {
    return this.#byId.get(executionId);
  }

  byContract(contractId: string): ProviderExecution | undefined {
    for (const execution of this.#byId.values())
      if (execution.item.contractId === contractId) return execution;
    return undefined;
  }

  all(): readonly ProviderExecution[] {
    return [...this.#byId.values()];
  }

  unsettledOf(requester: string): readonly ProviderExecution[] {
    return this.all().filter((execution) => execution.requester === requester && !execution.settled);
  }

  liveCount(): number {
    return this.all().filter(({ item }) => item.state === 'BidAccepted' || item.state === 'Running').length;
  }

  /** BidAccepted -> Running -> Publishing -> …; with what else belongs in the same batch. */
  async move(
    executionId: string,
    change: Partial<Omit<ServingItem, 'executionId' | 'contractId' | 'attempt' | 'sequence'>> & {
      readonly state: ServingState;
    },
    also: ProviderCommit = {},
  ): Promise<ProviderExecution> {
    const before = this.#known(executionId);
    if (!ARROWS[before.item.state].includes(change.state)) {
      throw new CodedError(
        'SERVING_TRANSITION',
        `An execution that is ${before.item.state} cannot become ${change.state}.`,
        {
          data: { executionId },
        },
      );
    }
    const item: ServingItem = { ...before.item, ...change, sequence: before.item.sequence + 1 };
    return this.#replace({ ...before, item }, also);
  }

  /** Notes the child process; the program may start once this has resolved. */
  noteProcess(
    executionId: string,
    process: NonNullable<ProviderExecution['process']>,
  ): Promise<ProviderExecution> {
    return this.#replace({ ...this.#known(executionId), process }, {});
  }

  settle(executionId: string, also: ProviderCommit): Promise<ProviderExecution> {
    return this.#replace({ ...this.#known(executionId), settled: true }, also);
  }

  async forget(executionId: string): Promise<void> {
    this.#byId.delete(executionId);
    await this.#store.commit({ forgottenExecutionIds: [executionId] });
  }

  async #replace(execution: ProviderExecution, also: ProviderCommit): Promise<ProviderExecution> {
    await this.#store.commit({ ...also, executions: [execution] });
    this.#byId.set(execution.item.executionId, execution);
    return execution;
  }

  #known(executionId: string): ProviderExecution {
    const execution = this.#byId.get(executionId);
    if (execution === undefined)
      throw new CodedError('EXECUTION_UNKNOWN', `No execution ${executionId} is known here.`);
    return execution;
  }
}
