import { z } from 'zod';
import { CodedError } from '../../lib/coded-error.ts';
import { sampleProcess } from '../processes/process-identity.ts';
import type { TaskHandle } from '../ports.ts';
import { type Fingerprint, notStarted, type Task, type TaskDriver } from '../task-driver.ts';
import { endProcess } from './child-process.ts';
import type { Sandbox } from './sandbox.ts';
import { startSandboxed } from './sandboxed-task.ts';
import { refuseTask } from './task-check.ts';
import type { WasiProgram } from './wasi-program.ts';

/** Version 0 is what a node kept before handles had versions: the same fields. */
const HANDLE_VERSION = 1;
const childSchema = z.object({ pid: z.int().positive(), startTimeTicks: z.number().nonnegative() });

/** What one engine adds to the sandbox. */
export interface WasiEngine {
  readonly type: string;
  readonly runtimeMemoryBytes: number;
  /** What is installed of it on this machine; undefined with nothing that works. */
  installed(): Promise<WasiInstallation | undefined>;
  /** The sentence for when it is not. */
  readonly missing: string;
}

export type InstalledProgram = Omit<WasiProgram, 'runtimeMemoryBytes'>;

export interface WasiInstallation {
  readonly version: string;
  readonly runtimes: Readonly<Record<string, string>>;
  programOf(task: Task): InstalledProgram;
}

/**
 * Drives an engine whose programs are WASI preview 1 commands. A program gets a file system of its own in memory and no
 * way to the host; it runs in a Node child without rights, inside bubblewrap where that works, and the child ends with
 * this process even when this process is killed with SIGKILL. A module whose memory cannot grow any more and that traps
 * then counts as `out-of-memory`; one that handles it ends as it likes: Python's MemoryError is exit code 1.
 */
export function createWasiDriver(sandbox: Sandbox, engine: WasiEngine): TaskDriver {
  const { type, runtimeMemoryBytes } = engine;
  return {
    engine: type,
    fingerprint: async (): Promise<Fingerprint> => {
      const [{ bubblewrapPath }, installed] = await Promise.all([sandbox.prepared(), engine.installed()]);
      if (installed === undefined) return { usable: false, why: engine.missing };
      const { version, runtimes } = installed;
      return {
        usable: true,
        version,
        runtimes,
        isolation: bubblewrapPath === undefined ? 'process' : 'bubblewrap',
        enforces: ['wallClockMs', 'memoryBytes', 'outputBytes', 'outputFiles'],
        runtimeMemoryBytes,
        outlivesNode: false,
        signals: [],
        extras: [],
      };
    },
    start: async (task, events, signal) => {
      const refused = refuseTask(type, task);
      if (refused !== undefined) throw notStarted('denied', refused);
      const [settings, installed] = await Promise.all([sandbox.prepared(), engine.installed()]);
      if (installed === undefined) throw notStarted('denied', engine.missing);
      const program = { ...installed.programOf(task), runtimeMemoryBytes };
      const handleOf = ({ pid, startTimeTicks }: z.infer<typeof childSchema>): TaskHandle => ({
        engine: type,
        version: HANDLE_VERSION,
        run: task.run,
        state: { pid, startTimeTicks },
      });
      return startSandboxed(settings, program, task, handleOf, events, signal);
    },
    // Its pipes ended with the node that had started it, so the child has ended or is about to.
    recover: async () => ({ state: 'gone' }),
    leftovers: async (recorded) => {
      const lives = await Promise.all(
        recorded.map(async (handle) => {
          const { pid, startTimeTicks } = childOf(handle);
          return (await sampleProcess(pid))?.startTimeTicks === startTimeTicks;
        }),
      );
      return recorded.filter((_, index) => lives[index]);
    },
    destroy: async (handle) => {
      const { pid, startTimeTicks } = childOf(handle);
      await endProcess(pid, startTimeTicks);
    },
  };
}

function childOf({ version, state }: TaskHandle): z.infer<typeof childSchema> {
  const child = childSchema.safeParse(state);
  if (version <= HANDLE_VERSION && child.success) return child.data;
  throw new CodedError(
    'HANDLE_UNREADABLE',
    `A task is on record in the form ${version}, which this version of Bidmesh does not know: end it by hand if it still runs.`,
  );
}
