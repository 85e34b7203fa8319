import { CodedError } from '../../lib/coded-error.ts';
import type { TaskHandle } from '../ports.ts';
import {
  notStarted,
  type RunningTask,
  type Task,
  type TaskEvents,
  type TaskOutcome,
} from '../task-driver.ts';
import type { AttemptEnding } from './attempt-ending.ts';
import { type OnChild, SandboxRun, type SandboxSettings } from './sandbox-run.ts';
import type { WasiProgram } from './wasi-program.ts';

const CANCELLED: AttemptEnding = { exitReason: 'cancelled', message: 'The execution was cancelled.' };

/** Starts a program in a child; `handleOf` makes a handle of the child. Rejects as {@link TaskDriver.start} says. */
export async function startSandboxed(
  settings: SandboxSettings,
  program: WasiProgram,
  task: Task,
  handleOf: (child: Parameters<OnChild>[0]) => TaskHandle,
  events: TaskEvents,
  signal: AbortSignal,
): Promise<RunningTask> {
  if (signal.aborted) throw notStarted('cancelled', 'It was cancelled before it started.');
  const run = new SandboxRun(settings, program, task, events.output);
  const begun = Promise.withResolvers<TaskHandle>();
  const outcome = run.run(async (child) => {
    const handle = handleOf(child);
    await events.started(handle);
    begun.resolve(handle);
  });
  const onAbort = (): void => run.stop(CANCELLED);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const first = await Promise.race([begun.promise, outcome]);
    if ('exitReason' in first) throw notStarted(first.exitReason, first.message);
    return runningTask(run, first, outcome);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function runningTask(run: SandboxRun, handle: TaskHandle, outcome: Promise<TaskOutcome>): RunningTask {
  return {
    handle,
    wait: () => outcome,
    // A WASI program cannot be asked: nothing of the outside reaches it.
    stop: () => run.stop(CANCELLED),
    signal: async (name) => {
      throw new CodedError('SIGNAL_UNSUPPORTED', `A WASI program hears no signals, so no ${name}: stop it.`);
    },
    stats: () => run.stats(),
  };
}
