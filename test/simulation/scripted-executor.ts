import type { ExecutionOutcome, Executor } from '../../src/provider/task-driver.ts';
import { diskFull, type MachineRoom, MUCH_ROOM } from './memory-content.ts';
import type { AttemptFolder, AttemptFolders, OutputStream } from '../../src/provider/ports.ts';
import { type Clock, sleep } from '../../src/lib/clock.ts';

/** What ran, over all lives of all nodes: the record that "nothing runs twice" is checked against. */
export class RunRecord {
  readonly starts = new Map<string, number>();
  readonly finishes = new Map<string, number>();

  started(executionId: string): void {
    this.starts.set(executionId, (this.starts.get(executionId) ?? 0) + 1);
  }

  finished(executionId: string): void {
    this.finishes.set(executionId, (this.finishes.get(executionId) ?? 0) + 1);
  }
}

export interface ScriptedWork {
  /** How long it takes to start the program. */
  startDelayMs?: number;
  durationMs: number;
  exitReason?: ExecutionOutcome['exitReason'];
}

/** Work that takes `durationMs` and prints its execution id. */
export function createScriptedExecutor(
  clock: Clock,
  record: RunRecord,
  script: (executionId: string) => Readonly<ScriptedWork>,
): Executor {
  return {
    probe: async () => ({
      engines: { wasm: '1.0.0', python: '3.12.0' },
      runtimes: { python: '3.12.0' },
      isolation: 'process',
    }),
    reap: async () => {},
    async run(task, sink, signal) {
      const { startDelayMs } = script(task.executionId);
      if (startDelayMs !== undefined) await sleep(clock, startDelayMs, signal);
      await sink.started({ pid: 1, startTimeTicks: 1 });
      record.started(task.executionId);
      const { durationMs, exitReason = 'completed' } = script(task.executionId);
      await sink.output('stdout', new TextEncoder().encode(task.executionId));
      const cancelled = await new Promise<boolean>((resolve) => {
        const timer = clock.after(durationMs, () => resolve(false));
        const abort = (): void => {
          timer.cancel();
          resolve(true);
        };
        if (signal.aborted) abort();
        signal.addEventListener('abort', abort, { once: true });
      });
      if (!cancelled) record.finished(task.executionId);
      return {
        exitReason: cancelled ? 'cancelled' : exitReason,
        ...(exitReason === 'completed' && !cancelled ? { exitCode: 0 } : {}),
        message: cancelled ? 'cancelled' : 'ended',
        files: [],
        usage: { wallClockMs: durationMs, cpuMs: 1 },
      };
    },
  };
}

/** Attempt folders in memory. */
export function createMemoryFolders(room: MachineRoom = MUCH_ROOM): AttemptFolders {
  const requireDisk = (): void => {
    if (room.diskFull) throw diskFull();
  };
  return {
    create: async (executionId) => {
      requireDisk();
      return createMemoryFolder(`/nowhere/${executionId}`);
    },
    remove: async () => {},
    printed: async () => undefined,
    tryWrite: async () => requireDisk(),
    sweep: async () => {},
  };
}

function createMemoryFolder(hostPath: string): AttemptFolder {
  const streams: Record<OutputStream, Uint8Array[]> = { stdout: [], stderr: [] };
  return {
    hostPath,
    append: async (stream, bytes) => void streams[stream].push(bytes),
    end: async () => {},
    read: async function* (stream) {
      yield* streams[stream];
    },
    source: (stream) => ({ bytes: new Uint8Array(Buffer.concat(streams[stream])) }),
  };
}
