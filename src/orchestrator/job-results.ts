import type { Execution } from '../domain/market/execution.ts';

/** The content id of an execution's result where this node has it. */
export function resultOf({ observed }: Execution): string | undefined {
  return 'resultCid' in observed && observed.state !== 'Publishing' ? observed.resultCid : undefined;
}

/** One result for each partition that has any: that of the completed attempt, else of the newest. */
export function resultsOf(
  executions: readonly Execution[],
): readonly { executionId: string; partition: number; cid: string }[] {
  const best = new Map<number, Execution>();
  for (const execution of executions.toSorted((a, b) => a.attempt - b.attempt)) {
    if (resultOf(execution) === undefined) continue;
    if (best.get(execution.partition)?.observed.state === 'Completed') continue;
    best.set(execution.partition, execution);
  }
  return [...best.values()]
    .toSorted((a, b) => a.partition - b.partition)
    .flatMap((execution) => {
      const cid = resultOf(execution);
      return cid === undefined ? [] : [{ executionId: execution.id, partition: execution.partition, cid }];
    });
}
