import { type FileHandle, open, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { durationText } from '../../domain/matching/field-text.ts';
import { type Clock, every, type Timer, within } from '../../lib/clock.ts';
import { codeOf, messageOf } from '../../lib/coded-error.ts';
import type { Random } from '../../lib/random.ts';
import { type AttemptEnding, endingOfLost, parseEnd } from './attempt-ending.ts';
import { type SandboxProcess, startSandboxProcess } from './child-process.ts';
import type { Task, TaskEvents, TaskOutcome, TaskStats } from '../task-driver.ts';
import { OutputCollector, OutputError } from './output-collector.ts';
import { sampleProcess } from '../processes/process-identity.ts';
import { PrintAsker } from './print-asker.ts';
import { PAGE_BYTES } from './child/page-store.ts';
import { encodeFrame, FRAME, type Frame, FrameDecoder, FrameError, joinPrinted } from './child/frames.ts';
import { layOut, outputsOf, type SandboxLayout, SEED_LENGTH_BYTES } from './layout.ts';
import type { WasiProgram } from './wasi-program.ts';

const CLOSE_TIMEOUT_MS = 5000;
const DISK_BLOCK_BYTES = 512;
/** A file that ends in the middle of a page takes the whole page, and so may some that are being replaced. */
const SPARE_PAGES = 64;

/** How the node watches over a child beyond what the child does by itself. */
export interface WatchdogOptions {
  readonly intervalMs: number;
  readonly startTimeoutMs: number;
  /** How long the child may take to hand over the files of a program that has ended. */
  readonly collectTimeoutMs: number;
}

export interface SandboxSettings {
  readonly clock: Clock;
  readonly random: Random;
  readonly nodePath: string;
  readonly bubblewrapPath: string | undefined;
  /** The program of the child. */
  readonly code: string;
  readonly watchdog: WatchdogOptions;
}

/** Told once the child exists and before its program begins; the child waits for the promise. */
export type OnChild = (child: Pick<SandboxProcess, 'pid' | 'startTimeTicks'>) => Promise<void>;

/** One program in one child, from an empty folder to its outcome. */
export class SandboxRun {
  readonly #settings: SandboxSettings;
  readonly #program: WasiProgram;
  readonly #task: Task;
  readonly #output: TaskEvents['output'];
  readonly #collector: OutputCollector;
  #child: SandboxProcess | undefined;
  /** The first reason to end counts; what follows from it, such as a broken pipe, does not. */
  #ending: AttemptEnding | undefined;
  #asker: PrintAsker | undefined;
  /** What the child handed over, once it has said that this is all. */
  #handedOver: TaskOutcome['files'] = [];
  #deadline: Timer | undefined;
  #startedMs: number | undefined;
  #endedMs: number | undefined;
  #cpuBaseMs = 0;
  #cpuMs = 0;

  constructor(settings: SandboxSettings, program: WasiProgram, task: Task, output: TaskEvents['output']) {
    this.#settings = settings;
    this.#program = program;
    this.#task = task;
    this.#output = output;
    this.#collector = new OutputCollector(
      join(task.folder, 'outputs'),
      outputsOf(task).map(({ name }) => name),
      task.limits,
    );
  }

  stop(ending: AttemptEnding): void {
    this.#ending ??= ending;
    this.#child?.kill();
  }

  /** What the child takes now; undefined where there is none. */
  async stats(): Promise<TaskStats | undefined> {
    const sample = this.#child === undefined ? undefined : await sampleProcess(this.#child.pid);
    // One that has ended and was not fetched yet is still there, and takes nothing.
    return sample === undefined || sample.ownBytes === 0
      ? undefined
      : { cpuMs: sample.cpuMs, memoryBytes: sample.ownBytes };
  }

  /** Never rejects. */
  async run(onChild: OnChild): Promise<TaskOutcome> {
    const { folder } = this.#task;
    const spoolPath = join(folder, 'spool');
    const spool = await open(spoolPath, 'wx+', 0o600);
    try {
      await unlink(spoolPath);
      const layout = await this.#prepare();
      if (layout !== undefined) await this.#runChild(layout, spool, onChild);
    } catch (error) {
      this.stop({ exitReason: 'internal', message: messageOf(error) });
    } finally {
      this.#deadline?.cancel();
      this.#child?.kill();
      await spool.close();
      await this.#collector.close();
    }
    return this.#outcome();
  }

  async #prepare(): Promise<SandboxLayout | undefined> {
    const { code, random } = this.#settings;
    const codePath = join(this.#task.folder, 'child.mjs');
    await writeFile(codePath, code, { flag: 'wx' });
    try {
      const seed = random.bytes(SEED_LENGTH_BYTES);
      return await layOut(this.#task, this.#program, { ...this.#settings, codePath, seed });
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EACCES') throw error;
      this.stop({
        exitReason: 'input-unavailable',
        message: 'The program or an input is not on this machine.',
      });
      return undefined;
    }
  }

  async #runChild(layout: SandboxLayout, spool: FileHandle, onChild: OnChild): Promise<void> {
    const { clock, bubblewrapPath, watchdog } = this.#settings;
    if (this.#ending !== undefined) return;
    const wrapped = bubblewrapPath !== undefined;
    const command = {
      file: layout.file,
      args: layout.args,
      cwd: this.#task.folder,
      wrapped,
      spoolFd: spool.fd,
    };
    const child = await startSandboxProcess(command, clock);
    this.#child = child;
    const { pid } = child;
    await onChild(child);
    if (this.#ending !== undefined) child.kill();
    this.#deadline = clock.after(watchdog.startTimeoutMs, () =>
      this.stop({ exitReason: 'internal', message: 'The sandbox did not start in time.' }),
    );
    const asker = new PrintAsker(clock, child.stdin);
    this.#asker = asker;
    let watching = Promise.resolve();
    const watch = every(clock, watchdog.intervalMs, () => {
      watching = this.#watch(pid, spool);
      return watching;
    });
    try {
      child.stdin.write(encodeFrame(FRAME.task, Buffer.from(JSON.stringify(layout.task))));
      await this.#readFrames(child);
    } finally {
      watch.cancel();
      asker.stop();
      await watching;
    }
    child.kill();
    const closed = await within(clock, CLOSE_TIMEOUT_MS, child.closed, () => undefined);
    const how = closed?.signal ?? closed?.code ?? 'unknown';
    this.#ending ??= endingOfLost(child.complaint(), how, this.#startedMs !== undefined);
  }

  async #readFrames(child: SandboxProcess): Promise<void> {
    const decoder = new FrameDecoder();
    try {
      for await (const chunk of child.stdout) {
        if (!(chunk instanceof Uint8Array)) continue;
        for (const frame of joinPrinted(decoder.push(chunk))) {
          if (this.#ending !== undefined) return;
          await this.#handle(frame, child);
        }
      }
    } catch (error) {
      if (error instanceof FrameError || error instanceof OutputError) {
        this.stop({ exitReason: 'internal', message: `The sandbox broke its protocol: ${error.message}` });
      } else if (codeOf(error) !== 'ECONNRESET') throw error;
    }
  }

  async #handle({ type, payload }: Frame, child: SandboxProcess): Promise<void> {
    switch (type) {
      case FRAME.running:
        await this.#programStarts(child);
        return;
      case FRAME.stdout:
      case FRAME.stderr:
        this.#collector.countBytes(payload.length);
        this.#asker?.printed();
        await this.#output(type === FRAME.stdout ? 'stdout' : 'stderr', payload);
        return;
      case FRAME.file:
        this.#programEnds();
        await this.#collector.startFile(payload);
        return;
      case FRAME.data:
        await this.#collector.addData(payload);
        return;
      case FRAME.end:
        this.#programEnds();
        this.#finish(payload);
        return;
      default:
        throw new FrameError(`There is no frame of type ${type}.`);
    }
  }

  async #programStarts(child: SandboxProcess): Promise<void> {
    const { clock } = this.#settings;
    const { wallClockMs } = this.#task.limits;
    if (this.#startedMs !== undefined) throw new FrameError('The program started twice.');
    this.#startedMs = clock.monotonicMs();
    this.#deadline?.cancel();
    this.#deadline = clock.after(wallClockMs, () => {
      const message = `The program ran longer than ${durationText(wallClockMs)}.`;
      void this.#sample(child.pid).finally(() => this.stop({ exitReason: 'timeout', message }));
    });
    await this.#sample(child.pid);
    this.#cpuBaseMs = this.#cpuMs;
  }

  /** From its first file or its end on, the program can do nothing more; only the handing over is timed. */
  #programEnds(): void {
    const { clock, watchdog } = this.#settings;
    if (this.#endedMs !== undefined) return;
    this.#endedMs = clock.monotonicMs();
    this.#deadline?.cancel();
    this.#deadline = clock.after(watchdog.collectTimeoutMs, () =>
      this.stop({ exitReason: 'internal', message: 'The sandbox did not hand over its files in time.' }),
    );
  }

  #finish(payload: Uint8Array): void {
    const { ending, cpuMs } = parseEnd(payload);
    this.#cpuBaseMs = 0;
    this.#cpuMs = cpuMs;
    this.#handedOver = this.#collector.finish();
    this.stop(ending);
  }

  async #watch(pid: number, spool: FileHandle): Promise<void> {
    const { memoryBytes, outputBytes, outputFiles } = this.#task.limits;
    const runtimeBytes = this.#program.runtimeMemoryBytes;
    if ((await this.#sample(pid)) > memoryBytes + runtimeBytes) {
      const message = `The program and its runtime needed more than their ${memoryBytes} + ${runtimeBytes} bytes of memory.`;
      this.stop({ exitReason: 'out-of-memory', message });
    }
    const { blocks } = await spool.stat();
    if (blocks * DISK_BLOCK_BYTES > outputBytes + (outputFiles + SPARE_PAGES) * PAGE_BYTES) {
      this.stop({ exitReason: 'internal', message: 'The sandbox writes more than it counts.' });
    }
  }

  /** Takes note of the child's processor time and returns what it alone has in memory. */
  async #sample(pid: number): Promise<number> {
    const sample = await sampleProcess(pid);
    if (sample === undefined || this.#endedMs !== undefined) return 0;
    this.#cpuMs = sample.cpuMs;
    return sample.ownBytes;
  }

  #outcome(): TaskOutcome {
    const ending = this.#ending ?? { exitReason: 'internal', message: 'The sandbox ended without a word.' };
    const endedMs = this.#endedMs ?? this.#settings.clock.monotonicMs();
    const wallClockMs = this.#startedMs === undefined ? 0 : Math.round(endedMs - this.#startedMs);
    return {
      ...ending,
      files: this.#handedOver,
      usage: { wallClockMs, cpuMs: Math.max(0, Math.round(this.#cpuMs - this.#cpuBaseMs)) },
    };
  }
}
