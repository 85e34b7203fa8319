import type {
  ExecutionOutcome,
  ExecutionSink,
  ExecutionTask,
  Executor,
} from '../../../../src/provider/task-driver.ts';
import type {
  AttemptFolder,
  AttemptFolders,
  OutputStream,
  PrintedOutput,
  ProviderContent,
  TreeSource,
} from '../../../../src/provider/ports.ts';

/** A program that does what the test says, and ends when it is told to. */
export interface ScriptedRun {
  readonly task: ExecutionTask;
  readonly sink: ExecutionSink;
  readonly signal: AbortSignal;
  end(outcome?: Partial<ExecutionOutcome>): void;
  fail(error: Error): void;
}

export class ScriptedExecutor implements Executor {
  readonly runs: ScriptedRun[] = [];
  readonly reaped: number[] = [];
  /** False: the program never gets as far as starting. */
  starts = true;

  async probe(): ReturnType<Executor['probe']> {
    return { engines: { wasm: '1.0.0' }, runtimes: {}, isolation: 'process' };
  }

  async run(task: ExecutionTask, sink: ExecutionSink, signal: AbortSignal): Promise<ExecutionOutcome> {
    if (this.starts) await sink.started({ pid: 42, startTimeTicks: 7 });
    const { promise, resolve, reject } = Promise.withResolvers<ExecutionOutcome>();
    const end = (outcome: Partial<ExecutionOutcome> = {}): void =>
      resolve({
        exitReason: 'completed',
        message: 'ended',
        files: [],
        usage: { wallClockMs: 1, cpuMs: 1 },
        ...outcome,
      });
    signal.addEventListener('abort', () => end({ exitReason: 'cancelled', message: 'stopped' }), {
      once: true,
    });
    if (signal.aborted) end({ exitReason: 'cancelled', message: 'stopped' });
    this.runs.push({ task, sink, signal, end, fail: reject });
    return promise;
  }

  async reap({ pid }: { readonly pid: number }): Promise<void> {
    this.reaped.push(pid);
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

  async create(executionId: string): Promise<AttemptFolder> {
    this.present.add(executionId);
    const printed: Record<OutputStream, Uint8Array[]> = { stdout: [], stderr: [] };
    return {
      hostPath: `/attempts/${executionId}`,
      append: async (stream, bytes) => void printed[stream].push(bytes),
      end: async () => {},
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

  async sweep(): Promise<void> {
    this.swept += 1;
    this.present.clear();
  }
}
