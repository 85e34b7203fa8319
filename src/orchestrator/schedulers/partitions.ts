import { type Execution, isCommitted, isLive } from '../../domain/market/execution.ts';

/** One partition of a job with every attempt at it, oldest first. */
export interface Partition {
  readonly index: number;
  readonly executions: readonly Execution[];
  readonly live: readonly Execution[];
  readonly completed: boolean;
}

/** The partitions of a job, those without an attempt included; executions are looked at once. */
export function partitionsOf(count: number, executions: readonly Execution[]): readonly Partition[] {
  const grouped = Array.from({ length: count }, (): Execution[] => []);
  for (const execution of executions) grouped[execution.partition]?.push(execution);
  return grouped.map((attempts, index) => ({
    index,
    executions: attempts.toSorted((a, b) => a.attempt - b.attempt),
    live: attempts.filter(isLive),
    completed: attempts.some(({ observed }) => observed.state === 'Completed'),
  }));
}

/** Neither completed nor under way. */
export function isOpen(partition: Partition): boolean {
  return !partition.completed && partition.live.length === 0;
}

export function nextAttempt(partition: Partition): number {
  return (partition.executions.at(-1)?.attempt ?? 0) + 1;
}

/** Live executions that their partition does not need: it is completed, not of this job any more, or has a better one. */
export function surplusOf(
  partitions: readonly Partition[],
  executions: readonly Execution[],
): readonly Execution[] {
  const outside = executions.filter(
    (execution) => isLive(execution) && execution.partition >= partitions.length,
  );
  const within = partitions.flatMap(({ live, completed }) =>
    completed ? live : live.toSorted(furthestFirst).slice(1),
  );
  return [...within, ...outside];
}

/** Under contract before in negotiation, then the older attempt. */
function furthestFirst(a: Execution, b: Execution): number {
  return standing(b) - standing(a) || a.attempt - b.attempt;
}

function standing(execution: Execution): number {
  if (isCommitted(execution)) return 2;
  return execution.contractId === undefined ? 0 : 1;
}
