import type { ContractRecord, ContractState } from '../domain/market/contract.ts';
import type { Execution } from '../domain/market/execution.ts';
import type { Job, JobState } from '../domain/job/job.ts';
import type { ExitReason } from '../domain/program/task.ts';
import type { ProviderExecution } from '../provider/ports.ts';

/** How many of each kind, by what tells them apart. */
export type Tally<Kind extends string> = Readonly<Partial<Record<Kind, number>>>;

interface RoleCounts {
  /** Executions under contract that came to an end, by how. */
  readonly executions: Tally<ExitReason>;
  /** Contracts that came into a state. */
  readonly contracts: Tally<ContractState>;
}

export interface CensusCounts {
  /** Jobs that are stored now. */
  readonly jobs: Tally<JobState>;
  /** Since the store was opened. */
  readonly requester: RoleCounts;
  readonly provider: RoleCounts;
}

class Counts<Kind extends string> {
  readonly #counts = new Map<Kind, number>();

  add(kind: Kind, change = 1): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + change);
  }

  read(): Tally<Kind> {
    return Object.fromEntries(this.#counts) as Tally<Kind>;
  }
}

class Role {
  readonly executions = new Counts<ExitReason>();
  readonly contracts = new Counts<ContractState>();

  read(): RoleCounts {
    return { executions: this.executions.read(), contracts: this.contracts.read() };
  }
}

/** Counts what is written, for operators, so that nobody has to read the store for a figure. */
export class Census {
  readonly #jobs = new Counts<JobState>();
  readonly #requester = new Role();
  readonly #provider = new Role();
  /** A result that is published may be given up later: its execution has ended once all the same. */
  readonly #endedHere = new Set<string>();

  read(): CensusCounts {
    return {
      jobs: this.#jobs.read(),
      requester: this.#requester.read(),
      provider: this.#provider.read(),
    };
  }

  /** A job that is on disk, or was; `after` is left out when it goes. */
  job(before: Pick<Job, 'state'> | undefined, after?: Pick<Job, 'state'>): void {
    if (before?.state === after?.state) return;
    if (before !== undefined) this.#jobs.add(before.state, -1);
    if (after !== undefined) this.#jobs.add(after.state);
  }

  /** What one change of a job wrote. */
  requested(
    before: readonly Execution[],
    executions: readonly Execution[],
    contracts: readonly ContractRecord[],
  ): void {
    for (const execution of executions) {
      const reason = endUnderContract(execution);
      if (reason === undefined) continue;
      const known = before.find(({ id }) => id === execution.id);
      if (known === undefined || endUnderContract(known) === undefined)
        this.#requester.executions.add(reason);
    }
    for (const { state } of contracts) this.#requester.contracts.add(state);
  }

  /** What one change of the provider wrote. */
  provided(
    executions: readonly ProviderExecution[],
    contracts: readonly ContractRecord[],
    forgotten: readonly string[],
  ): void {
    for (const { item, settled } of executions) {
      if (settled || item.exitReason === undefined || this.#endedHere.has(item.executionId)) continue;
      this.#endedHere.add(item.executionId);
      this.#provider.executions.add(item.exitReason);
    }
    for (const { state } of contracts) this.#provider.contracts.add(state);
    for (const id of forgotten) this.#endedHere.delete(id);
  }
}

function endUnderContract({ observed }: Execution): ExitReason | undefined {
  return 'end' in observed && 'contractId' in observed && observed.contractId !== undefined
    ? observed.end.exitReason
    : undefined;
}
