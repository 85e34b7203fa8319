import { buckets, keyOf } from '../buckets.ts';
import { Repository } from '../records.ts';
import { inSteps, type Migration, rewritten } from './migration.ts';

interface AnyExecution {
  readonly item: { readonly executionId: string };
  readonly invocation: { readonly engine: { readonly type: string } };
  readonly task?: unknown;
  /** The process of the one child that did the work. */
  readonly process?: { readonly pid: number; readonly startTimeTicks: number };
}

export const taskHandles: Migration = {
  format: 5,
  what: "the process of a provider's execution is a handle of its engine, version 0",
  steps({ database }) {
    const executions = new Repository<AnyExecution>(database, buckets.providerExecution, ({ item }) =>
      keyOf(item.executionId),
    );
    return inSteps(rewritten(executions, withTaskHandle));
  },
};

function withTaskHandle(before: AnyExecution): AnyExecution {
  const { process: child, ...execution } = before;
  if (child === undefined) return before;
  if (execution.task !== undefined) return execution;
  const { type } = execution.invocation.engine;
  return { ...execution, task: { engine: type, version: 0, run: 1, state: child } };
}
