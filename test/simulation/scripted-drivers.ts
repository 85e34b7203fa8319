import type { Fingerprint, TaskDriver, TaskOutcome } from '../../src/provider/task-driver.ts';
import { diskFull, type MachineRoom, MUCH_ROOM } from './memory-content.ts';
import type { AttemptFolder, AttemptFolders, OutputStream } from '../../src/provider/ports.ts';
import { type Clock, sleep } from '../../src/lib/clock.ts';

/**
 * What ran, over all lives of all nodes, by execution and run: the record that "nothing runs twice" is checked against.
 * The first run of an execution has the execution's own name.
 */
export class RunRecord {
  readonly starts = new Map<string, number>();
  readonly finishes = new Map<string, number>();

  started(executionId: string, run: number): void {
    const key = keyOf(executionId, run);
    this.starts.set(key, (this.starts.get(key) ?? 0) + 1);
  }

  finished(executionId: string, run: number): void {
    const key = keyOf(executionId, run);
    this.finishes.set(key, (this.finishes.get(key) ?? 0) + 1);
  }
}

function keyOf(executionId: string, run: number): string {
  return run === 1 ? executionId : `${executionId}#${run}`;
}

export interface ScriptedWork {
  /** How long it takes to start the program. */
  startDelayMs?: number;
  durationMs: number;
  exitReason?: TaskOutcome['exitReason'];
}

const USABLE: Omit<Extract<Fingerprint, { usable: true }>, 'version' | 'runtimes'> = {
  usable: true,
  isolation: 'process',
  enforces: [],
  runtimeMemoryBytes: 0,
  outlivesNode: false,
  signals: [],
  extras: [],
};

/** Engines whose work takes `durationMs` and prints its execution id. */
export function createScriptedDrivers(
  clock: Clock,
  record: RunRecord,
  script: (executionId: string) => Readonly<ScriptedWork>,
): readonly TaskDriver[] {
  return Object.entries({ wasm: '1.0.0', python: '3.12.0' }).map(([engine, version]) => ({
    engine,
    fingerprint: async () => ({
      ...USABLE,
      version,
      runtimes: engine === 'python' ? { python: version } : {},
    }),
    recover: async () => ({ state: 'gone' }),
    leftovers: async () => [],
    destroy: async () => {},
    async start({ executionId, run }, events, signal) {
      const { startDelayMs } = script(executionId);
      if (startDelayMs !== undefined) await sleep(clock, startDelayMs, signal);
      const handle = { engine, version: 1, run, state: null };
      await events.started(handle);
      record.started(executionId, run);
      const { durationMs, exitReason = 'completed' } = script(executionId);
      await events.output('stdout', new TextEncoder().encode(executionId));
      const { promise: cancelled, resolve } = Promise.withResolvers<boolean>();
      const timer = clock.after(durationMs, () => resolve(false));
      const end = cancelled.then((isCancelled) => {
        timer.cancel();
        if (!isCancelled) record.finished(executionId, run);
        return outcomeOf(isCancelled ? 'cancelled' : exitReason, durationMs);
      });
      return {
        handle,
        wait: () => end,
        stop: () => resolve(true),
        signal: async () => {},
        stats: async () => undefined,
      };
    },
  }));
}

function outcomeOf(exitReason: TaskOutcome['exitReason'], wallClockMs: number): TaskOutcome {
  return {
    exitReason,
    ...(exitReason === 'completed' ? { exitCode: 0 } : {}),
    message: exitReason === 'cancelled' ? 'cancelled' : 'ended',
    files: [],
    usage: { wallClockMs, cpuMs: 1 },
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
    reopen: async (executionId) => createMemoryFolder(`/nowhere/${executionId}`),
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
