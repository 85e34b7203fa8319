import type {
  Fingerprint,
  Recovered,
  RunningTask,
  Task,
  TaskDriver,
  TaskEvents,
  TaskOutcome,
} from '../../../../src/provider/task-driver.ts';
import type {
  AttemptFolder,
  AttemptFolders,
  OutputStream,
  PrintedOutput,
  ProviderContent,
  TaskHandle,
  TreeSource,
} from '../../../../src/provider/ports.ts';

/** A program that does what the test says, and ends when it is told to. */
export interface ScriptedRun {
  /** Undefined where it began in an earlier life of the node. */
  readonly task: Task | undefined;
  readonly output: TaskEvents['output'];
  stopped: boolean;
  end(outcome?: Partial<TaskOutcome>): void;
  fail(error: Error): void;
}

export class ScriptedDriver implements TaskDriver {
  readonly engine = 'wasm';
  readonly runs: ScriptedRun[] = [];
  readonly destroyed: TaskHandle[] = [];
  /** The states of handles whose tasks go on while the node is away. */
  readonly outliving: unknown[] = [];
  /** False: the program never gets as far as starting. */
  starts = true;
  /** It comes to nothing before. */
  refusal: Error | undefined;

  async fingerprint(): Promise<Fingerprint> {
    return { usable: false, why: 'nobody asks' };
  }

  async start(task: Task, events: TaskEvents): Promise<RunningTask> {
    if (this.refusal !== undefined) throw this.refusal;
    const handle = { engine: this.engine, version: 1, run: task.run, state: 'scripted' };
    if (this.starts) await events.started(handle);
    return this.#run(handle, task, events.output);
  }

  async recover(handle: TaskHandle, output: TaskEvents['output']): Promise<Recovered> {
    return this.outliving.includes(handle.state)
      ? { state: 'running', task: this.#run(handle, undefined, output) }
      : { state: 'gone' };
  }

  async leftovers(recorded: readonly TaskHandle[]): Promise<readonly TaskHandle[]> {
    return recorded;
  }

  async destroy(handle: TaskHandle): Promise<void> {
    this.destroyed.push(handle);
  }

  #run(handle: TaskHandle, task: Task | undefined, output: TaskEvents['output']): RunningTask {
    const { promise, resolve, reject } = Promise.withResolvers<TaskOutcome>();
    const end = (outcome: Partial<TaskOutcome> = {}): void =>
      resolve({
        exitReason: 'completed',
        message: 'ended',
        files: [],
        usage: { wallClockMs: 1, cpuMs: 1 },
        ...outcome,
      });
    const run: ScriptedRun = { task, output, stopped: false, end, fail: reject };
    this.runs.push(run);
    return {
      handle,
      wait: () => promise,
      stop: () => {
        run.stopped = true;
        end({ exitReason: 'cancelled', message: 'stopped' });
      },
      signal: async () => {},
      stats: async () => ({ cpuMs: 5, memoryBytes: 6 }),
    };
  }
}

/** Content that is there, or is not, by the test's word. */
export class ScriptedContent implements ProviderContent {
  readonly fetched: string[] = [];
  readonly pins: string[] = [];
  readonly imported: (readonly string[])[] = [];
  /** Tells the newest fetch of a block that came. */
  brings: (bytes: number) => void = () => {};
  fetching: Promise<void> = Promise.resolve();
  importing: Promise<void> = Promise.resolve();
  unpinning: Promise<void> = Promise.resolve();
  freeBytes = Number.MAX_SAFE_INTEGER;

  room(): { freeBytes: number; quotaBytes: number } {
    return { freeBytes: this.freeBytes, quotaBytes: Number.MAX_SAFE_INTEGER };
  }

  async sizeOf(): Promise<number | undefined> {
    return undefined;
  }

  async fetch(
    cid: string,
    _from: unknown,
    maxBytes: number,
    signal: AbortSignal,
    onBlock?: (bytes: number) => void,
  ): Promise<{ readonly bytes: number }> {
    if (onBlock !== undefined) this.brings = onBlock;
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    await Promise.race([this.fetching, aborted]);
    this.fetched.push(cid);
    return { bytes: maxBytes };
  }

  async exportFile(): Promise<void> {}

  async importTree(
    entries: readonly { readonly path: string; readonly source: TreeSource }[],
  ): Promise<{ cid: string; bytes: number }> {
    await this.importing;
    this.imported.push(entries.map(({ path }) => path));
    return { cid: 'result', bytes: 10 };
  }

  async pin(cid: string, owner: string): Promise<void> {
    this.pins.push(`${cid} for ${owner}`);
  }

  async unpin(owner: string): Promise<void> {
    await this.unpinning;
    for (const pin of this.pins.filter((known) => known.endsWith(` for ${owner}`))) {
      this.pins.splice(this.pins.indexOf(pin), 1);
    }
  }
}

/** Folders that are nothing but a list of names. */
export class ScriptedFolders implements AttemptFolders {
  readonly present = new Set<string>();
  /** What attempts of an earlier life had printed on standard output. */
  readonly left = new Map<string, string>();
  swept = 0;
  /** Those in which nothing more is printed. */
  readonly ended: string[] = [];

  async reopen(executionId: string): Promise<AttemptFolder> {
    return await this.create(executionId);
  }

  async create(executionId: string): Promise<AttemptFolder> {
    this.present.add(executionId);
    const printed: Record<OutputStream, Uint8Array[]> = { stdout: [], stderr: [] };
    return {
      hostPath: `/attempts/${executionId}`,
      append: async (stream, bytes) => void printed[stream].push(bytes),
      end: async () => void this.ended.push(executionId),
      read: async function* (stream) {
        yield* printed[stream];
      },
      source: (stream) => ({ bytes: new Uint8Array(Buffer.concat(printed[stream])) }),
    };
  }

  async remove(executionId: string): Promise<void> {
    this.present.delete(executionId);
  }

  async printed(executionId: string): Promise<PrintedOutput | undefined> {
    const text = this.left.get(executionId);
    if (text === undefined || this.swept > 0) return undefined;
    const stdout = new TextEncoder().encode(text);
    return { stdout: { bytes: stdout }, stderr: { bytes: new Uint8Array() }, bytes: stdout.length };
  }

  async tryWrite(): Promise<void> {}

  async sweep(keep: ReadonlySet<string>): Promise<void> {
    this.swept += 1;
    for (const executionId of this.present) if (!keep.has(executionId)) this.present.delete(executionId);
  }
}
