import type { ContractTerms } from '../../domain/market/contract.ts';
import { type ContentRef, contentRefsOf, type EngineSpec } from '../../domain/program/task.ts';
import { type BackoffOptions, backoffMs } from '../../lib/backoff.ts';
import { type Clock, sleep } from '../../lib/clock.ts';
import { CodedError, codeOf, messageOf } from '../../lib/coded-error.ts';
import type { ExecutionOutcome, ExecutionTask, Executor } from '../task-driver.ts';
import type { ProviderOptions } from '../options.ts';
import type { AttemptFolder, ProviderContent, ProviderExecution, TreeSource } from '../ports.ts';
import type { BringingWatch } from './bringing.ts';

export interface AttemptNeeds {
  readonly content: ProviderContent;
  readonly executor: Executor;
}

export interface AttemptHooks {
  /** The child exists; it starts its work when this has resolved. */
  started(process: { readonly pid: number; readonly startTimeTicks: number }): Promise<void>;
}

/** What one attempt left behind. */
export interface AttemptResult {
  readonly outcome: ExecutionOutcome;
  readonly resultCid: string;
  readonly resultBytes: number;
}

/** Codes of a requester that is away, or came back and is not ready: what it can mend. */
const MENDABLE: ReadonlySet<string | undefined> = new Set(['CONTENT_UNAVAILABLE', 'PEER_UNREACHABLE']);
/** A requester that is there and says no is believed after so many times. */
const MOST_REFUSALS = 5;
const REFUSALS: ReadonlySet<unknown> = new Set(['CONTENT_UNAVAILABLE', 'CONTENT_DENIED']);
const FETCH_AGAIN: BackoffOptions = { firstMs: 200, longestMs: 5000, factor: 2 };

/** A requester that is away may come back: how long it has is said by {@link BringingWatch}, which aborts `signal`. */
async function retried(clock: Clock, signal: AbortSignal, fetch: () => Promise<unknown>): Promise<void> {
  let refusals = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await fetch();
      return;
    } catch (error) {
      if (signal.aborted || !MENDABLE.has(codeOf(error))) throw error;
      if (error instanceof CodedError && REFUSALS.has(error.data['cause'])) refusals += 1;
      if (refusals >= MOST_REFUSALS) throw error;
    }
    await sleep(clock, backoffMs(FETCH_AGAIN, attempt), signal);
  }
}

/** What a fetch ends with where the requester or what it sent is at fault; all else is this machine's. */
const THEIR_FAULTS: ReadonlySet<string | undefined> = new Set([
  ...MENDABLE,
  'CONTENT_DENIED',
  'CONTENT_INVALID',
  'CONTENT_TOO_LARGE',
]);

/** The disk refused a write, or a quota of this node is used up: nothing that a job has done or could do. */
export function writeRefusal(error: unknown): string | undefined {
  const code = codeOf(error);
  if (code === 'NO_ROOM' && error instanceof CodedError) return writeRefusal(error.cause);
  const named = error instanceof CodedError ? error.data['cause'] : undefined;
  if (code === 'STORE_FAILED' || code === 'DISK_FULL') return typeof named === 'string' ? named : code;
  return code !== undefined && DISK_ERRORS.has(code) ? code : undefined;
}

const DISK_ERRORS: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE']);

export interface StagingNeeds {
  readonly content: ProviderContent;
  readonly clock: Clock;
  readonly watch: Pick<BringingWatch, 'tries' | 'took' | 'isHere'>;
}

/**
 * Brings everything the invocation names onto this machine. Throws `INPUT_UNAVAILABLE`, and `NO_ROOM` where it could be
 * had and could not be kept.
 */
export async function stageInputs(
  execution: ProviderExecution,
  terms: ContractTerms,
  maxInputBytes: number,
  { content, clock, watch }: StagingNeeds,
  signal: AbortSignal,
): Promise<void> {
  let leftBytes = maxInputBytes;
  for (const { cid, size } of contentOf(execution)) {
    signal.throwIfAborted();
    if (size > leftBytes) {
      throw new CodedError(
        'NO_ROOM',
        `The inputs are larger than the ${maxInputBytes} bytes this node takes.`,
      );
    }
    leftBytes -= size;
    try {
      const { contractId } = execution.item;
      const from = { peer: execution.requester, peerRecord: terms.requesterRecord, contractId };
      await retried(clock, signal, () => {
        watch.tries();
        return content.fetch(cid, from, size, signal, (bytes) => watch.took(bytes));
      });
      watch.isHere();
    } catch (cause) {
      signal.throwIfAborted();
      if (!THEIR_FAULTS.has(codeOf(cause))) throw notKept(cid, cause);
      throw new CodedError(
        'INPUT_UNAVAILABLE',
        `The input ${cid} could not be fetched: ${messageOf(cause)}`,
        { cause },
      );
    }
    await content.pin(cid, execution.item.contractId).catch((cause: unknown) => {
      throw notKept(cid, cause);
    });
  }
}

function notKept(cid: string, cause: unknown): CodedError {
  const message = `This provider could not keep the input ${cid}: ${messageOf(cause)}`;
  return new CodedError('NO_ROOM', message, { cause });
}

/** Runs the program and makes one content id of all that it printed and wrote. */
export async function runAttempt(
  execution: ProviderExecution,
  terms: ContractTerms,
  folder: AttemptFolder,
  options: ProviderOptions,
  needs: AttemptNeeds,
  hooks: AttemptHooks,
  signal: AbortSignal,
): Promise<AttemptResult> {
  const task = await layOut(execution, terms, folder, options, needs.content);
  const outcome = await needs.executor.run(
    task,
    { started: (process) => hooks.started(process), output: (stream, bytes) => folder.append(stream, bytes) },
    signal,
  );
  await folder.end();
  const { cid, bytes } = await needs.content.importTree(resultEntries(folder, outcome));
  return { outcome, resultCid: cid, resultBytes: bytes };
}

/** The result of an attempt is one UnixFS directory: the two streams, the exit, and a folder for each output. */
function resultEntries(
  folder: AttemptFolder,
  outcome: ExecutionOutcome,
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

async function layOut(
  execution: ProviderExecution,
  terms: ContractTerms,
  folder: AttemptFolder,
  options: ProviderOptions,
  content: ProviderContent,
): Promise<ExecutionTask> {
  const { engine, inputs, outputs, partition, partitionCount } = execution.invocation;
  const programPath = `${folder.hostPath}/program`;
  await content.exportFile(programOf(engine).cid, programPath);
  let stdin: ExecutionTask['stdin'] = '';
  if (typeof engine.stdin === 'string') stdin = engine.stdin;
  else {
    stdin = { hostPath: `${folder.hostPath}/stdin` };
    await content.exportFile(engine.stdin.cid, stdin.hostPath);
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
    engine: engine.type,
    programPath,
    args: engine.args,
    env: {
      BIDMESH_JOB_ID: execution.jobId,
      BIDMESH_EXECUTION_ID: execution.item.executionId,
      BIDMESH_PARTITION_INDEX: String(partition),
      BIDMESH_PARTITION_COUNT: String(partitionCount),
      ...engine.env,
    },
    stdin,
    inputs: mounts,
    outputs,
    limits: {
      wallClockMs: terms.executionTimeoutMs,
      memoryBytes: terms.resources.memoryBytes,
      outputBytes: Math.min(terms.maxOutputBytes, options.limits.maxOutputBytes),
      outputFiles: options.limits.maxOutputFiles,
    },
  };
}

function programOf(engine: EngineSpec): ContentRef {
  return engine.type === 'wasm' ? engine.module : engine.script;
}

function contentOf(execution: ProviderExecution): readonly ContentRef[] {
  return contentRefsOf(execution.invocation.engine, execution.invocation.inputs);
}
