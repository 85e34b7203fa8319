import type { ContractTerms } from '../../domain/market/contract.ts';
import { isContentRef } from '../../domain/program/task.ts';
import type { ProviderOptions } from '../options.ts';
import type { AttemptFolder, ProviderContent, ProviderExecution, TreeSource } from '../ports.ts';
import type { RunningTask, Task, TaskDriver, TaskEvents, TaskOutcome } from '../task-driver.ts';

/** For a task to end by itself once it was asked to; afterwards it is ended. */
const STOP_GRACE_MS = 5000;

/** What one attempt left behind. */
export interface AttemptResult {
  readonly outcome: TaskOutcome;
  readonly resultCid: string;
  readonly resultBytes: number;
}

export interface TaskStart {
  readonly execution: ProviderExecution;
  readonly terms: ContractTerms;
  readonly folder: AttemptFolder;
  readonly limits: ProviderOptions['limits'];
  readonly content: ProviderContent;
  readonly driver: TaskDriver;
  readonly started: TaskEvents['started'];
}

/** Puts what the invocation names where the task finds it, and starts that. Rejects as {@link TaskDriver.start} does. */
export async function startTask(start: TaskStart, signal: AbortSignal): Promise<RunningTask> {
  const { folder, driver, started } = start;
  const output: TaskEvents['output'] = (stream, bytes) => folder.append(stream, bytes);
  try {
    return await driver.start(await layOut(start), { started, output }, signal);
  } catch (error) {
    await folder.end();
    throw error;
  }
}

/** Waits for the end of a task, which an abort of `signal` brings about, and makes one content id of all that it left. */
export async function finishTask(
  task: RunningTask,
  folder: AttemptFolder,
  content: Pick<ProviderContent, 'importTree'>,
  signal: AbortSignal,
): Promise<AttemptResult> {
  const onAbort = (): void => task.stop(STOP_GRACE_MS);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const outcome = await task.wait();
    await folder.end();
    const { cid, bytes } = await content.importTree(resultEntries(folder, outcome));
    return { outcome, resultCid: cid, resultBytes: bytes };
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** The result of an attempt is one UnixFS directory: the two streams, the exit, and a folder for each output. */
function resultEntries(
  folder: AttemptFolder,
  outcome: TaskOutcome,
): readonly { readonly path: string; readonly source: TreeSource }[] {
  const { exitReason, exitCode, message, usage } = outcome;
  const exit = { exitReason, ...(exitCode === undefined ? {} : { exitCode }), message, usage };
  return [
    { path: 'stdout', source: folder.source('stdout') },
    { path: 'stderr', source: folder.source('stderr') },
    { path: 'exit.json', source: { bytes: new TextEncoder().encode(`${JSON.stringify(exit)}\n`) } },
    ...outcome.files.map((file) => ({
      path: `outputs/${file.output}/${file.path}`,
      source: { hostPath: file.hostPath },
    })),
  ];
}

async function layOut({ execution, terms, folder, limits, content }: TaskStart): Promise<Task> {
  const { engine, inputs, outputs, partition, partitionCount } = execution.invocation;
  const { type: _, args, env, stdin: given, ...params } = engine;
  const files: Record<string, string> = {};
  for (const [name, value] of Object.entries(params)) {
    if (!isContentRef(value)) continue;
    // The names come from the engine: an invocation with others was refused.
    const hostPath = `${folder.hostPath}/content-${name}`;
    await content.exportFile(value.cid, hostPath);
    files[name] = hostPath;
  }
  let stdin: Task['stdin'] = '';
  if (typeof given === 'string') stdin = given;
  else {
    stdin = { hostPath: `${folder.hostPath}/stdin` };
    await content.exportFile(given.cid, stdin.hostPath);
  }
  const mounts: { target: string; hostPath: string }[] = [];
  for (const [index, input] of inputs.entries()) {
    const hostPath = `${folder.hostPath}/input-${index}`;
    await content.exportFile(input.content.cid, hostPath);
    mounts.push({ target: input.target, hostPath });
  }
  return {
    executionId: execution.item.executionId,
    folder: folder.hostPath,
    run: (execution.task?.run ?? 0) + 1,
    content: files,
    params: Object.fromEntries(Object.entries(params).filter(([name]) => !Object.hasOwn(files, name))),
    args,
    env: {
      BIDMESH_JOB_ID: execution.jobId,
      BIDMESH_EXECUTION_ID: execution.item.executionId,
      BIDMESH_PARTITION_INDEX: String(partition),
      BIDMESH_PARTITION_COUNT: String(partitionCount),
      ...env,
    },
    stdin,
    inputs: mounts,
    outputs,
    limits: {
      wallClockMs: terms.executionTimeoutMs,
      memoryBytes: terms.resources.memoryBytes,
      outputBytes: Math.min(terms.maxOutputBytes, limits.maxOutputBytes),
      outputFiles: limits.maxOutputFiles,
    },
  };
}
