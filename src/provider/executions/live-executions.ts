import { CodedError } from '../../lib/coded-error.ts';
import type { Chance } from '../../lib/chance.ts';
import type { Clock } from '../../lib/clock.ts';
import { retryOn } from '../../lib/retry.ts';
import type { Invocation } from '../../domain/program/task.ts';
import type { ServingItem } from '../../domain/market/serving.ts';
import type { ProviderCommit, ProviderExecution, ProviderStore, TaskHandle } from '../ports.ts';

type ServingState = ServingItem['state'];
type Change = Partial<Omit<ServingItem, 'executionId' | 'contractId' | 'attempt' | 'sequence'>> & {
  readonly state: ServingState;
};

export const SERVING_ARROWS: Readonly<Record<ServingState, readonly ServingState[]>> = {
  BidAccepted: ['Running', 'Failed', 'Cancelled'],
  Running: ['Publishing', 'Failed', 'Cancelled'],
  Publishing: ['Failed', 'Cancelled'],
  Failed: [],
  Cancelled: [],
};

/** The work of an execution in this state is done, one way or another. */
export function isWorkOver(state: ServingState): boolean {
  return state !== 'BidAccepted' && state !== 'Running';
}

/** A serving list takes no longer one, and one item that is refused would silence all of them. */
const LONGEST_MESSAGE = 1000;

/** What happened to an execution cannot be said again later, so it waits for a store that is busy. */
const WORTH_REPEATING = ['STORE_BUSY'];
const REPEAT = { firstMs: 20, longestMs: 2000, factor: 2 };

/** Of work that is over only what it keeps in the content store matters: arguments and variables may be megabytes. */
function withoutProgram({ engine, ...invocation }: Invocation): Invocation {
  const stdin = typeof engine.stdin === 'string' ? '' : engine.stdin;
  return { ...invocation, engine: { ...engine, args: [], env: {}, stdin }, outputs: [] };
}

/** The executions this provider answers for. What it says is on disk: a change is committed before it is shown. */
export class LiveExecutions {
  readonly #store: Pick<ProviderStore, 'commit'>;
  readonly #clock: Clock;
  readonly #chance: Chance;
  readonly #byId = new Map<string, ProviderExecution>();
  readonly #idByContract = new Map<string, string>();
  /** Those that are begun and not settled, by requester. */
  readonly #begunOf = new Map<string, Set<string>>();

  constructor(store: Pick<ProviderStore, 'commit'>, clock: Clock, chance: Chance) {
    this.#store = store;
    this.#clock = clock;
    this.#chance = chance;
  }

  /** Takes in what is on disk already. */
  add(execution: ProviderExecution): void {
    this.#put(execution);
    this.#idByContract.set(execution.item.contractId, execution.item.executionId);
  }

  get(executionId: string): ProviderExecution | undefined {
    return this.#byId.get(executionId);
  }

  byContract(contractId: string): ProviderExecution | undefined {
    const executionId = this.#idByContract.get(contractId);
    return executionId === undefined ? undefined : this.#byId.get(executionId);
  }

  /** Whether its program was started; false for one that is not known yet. */
  hasBegun(executionId: string): boolean {
    const execution = this.#byId.get(executionId);
    return execution !== undefined && execution.item.state !== 'BidAccepted';
  }

  all(): readonly ProviderExecution[] {
    return [...this.#byId.values()];
  }

  unsettledOf(requester: string): readonly ProviderExecution[] {
    return this.all().filter((execution) => execution.requester === requester && !execution.settled);
  }

  /** True while something of the requester is begun and not settled. */
  serves(requester: string): boolean {
    return this.#begunOf.has(requester);
  }

  liveCount(): number {
    return this.all().filter(({ item }) => !isWorkOver(item.state)).length;
  }

  /** BidAccepted -> Running, with the handle of the task that does the work: it may go on once this has resolved. */
  async begin(
    executionId: string,
    task: TaskHandle,
    startedAt: number,
    also: ProviderCommit = {},
  ): Promise<ProviderExecution> {
    const started = this.#moved(executionId, { state: 'Running', startedAt });
    return await this.#replace({ ...started, task }, also);
  }

  /** One step on its way, with what else belongs in the same batch. Throws `SERVING_TRANSITION`, `EXECUTION_UNKNOWN`. */
  async move(executionId: string, change: Change, also: ProviderCommit = {}): Promise<ProviderExecution> {
    return await this.#replace(this.#moved(executionId, change), also);
  }

  async settle(executionId: string, also: ProviderCommit): Promise<ProviderExecution> {
    return await this.#replace({ ...this.#known(executionId), settled: true }, also);
  }

  async forget(executionId: string): Promise<void> {
    const known = this.#byId.get(executionId);
    const contractId = known?.item.contractId;
    if (known !== undefined) this.#over(known);
    this.#byId.delete(executionId);
    if (contractId !== undefined) this.#idByContract.delete(contractId);
    await this.#commit({ forgottenExecutionIds: [executionId] });
  }

  #put(execution: ProviderExecution): void {
    const { item, requester, settled } = execution;
    this.#byId.set(item.executionId, execution);
    if (settled) this.#over(execution);
    else if (item.state !== 'BidAccepted') {
      const begun = this.#begunOf.get(requester) ?? new Set();
      this.#begunOf.set(requester, begun.add(item.executionId));
    }
  }

  #over({ item, requester }: ProviderExecution): void {
    const begun = this.#begunOf.get(requester);
    begun?.delete(item.executionId);
    if (begun?.size === 0) this.#begunOf.delete(requester);
  }

  #moved(executionId: string, change: Change): ProviderExecution {
    const before = this.#known(executionId);
    const { state, sequence } = before.item;
    if (!SERVING_ARROWS[state].includes(change.state)) {
      throw new CodedError(
        'SERVING_TRANSITION',
        `An execution that is ${state} cannot become ${change.state}.`,
        {
          data: { executionId },
        },
      );
    }
    const message = change.message === undefined ? {} : { message: change.message.slice(0, LONGEST_MESSAGE) };
    const invocation = isWorkOver(change.state) ? withoutProgram(before.invocation) : before.invocation;
    const item = { ...before.item, ...change, ...message, sequence: sequence + 1 };
    return { ...before, invocation, item };
  }

  async #replace(execution: ProviderExecution, also: ProviderCommit): Promise<ProviderExecution> {
    await this.#commit({ ...also, executions: [execution] });
    this.#put(execution);
    return execution;
  }

  #commit(commit: ProviderCommit): Promise<void> {
    const needs = { clock: this.#clock, chance: this.#chance };
    return retryOn(WORTH_REPEATING, REPEAT, needs, () => this.#store.commit(commit));
  }

  #known(executionId: string): ProviderExecution {
    const execution = this.#byId.get(executionId);
    if (execution === undefined)
      throw new CodedError('EXECUTION_UNKNOWN', `No execution ${executionId} is known here.`);
    return execution;
  }
}
