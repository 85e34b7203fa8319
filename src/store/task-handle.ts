import type { ProviderExecution } from '../provider/ports.ts';

/** The process of the one child that did the work, in records of before there were handles. */
interface RecordedChild {
  readonly process?: { readonly pid: number; readonly startTimeTicks: number };
}

/** An execution as it is now, of a record of any age: what was a process is a handle of version 0. */
export function withTaskHandle({
  process: child,
  ...execution
}: ProviderExecution & RecordedChild): ProviderExecution {
  if (child === undefined || execution.task !== undefined) return execution;
  const { type } = execution.invocation.engine;
  return { ...execution, task: { engine: type, version: 0, run: 1, state: child } };
}
