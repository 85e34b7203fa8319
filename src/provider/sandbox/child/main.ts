import type { Cipheriv } from 'node:crypto';
import { readSync, writeSync } from 'node:fs';
import { messageOf } from '../../../lib/coded-error.ts';
import { systemClock } from '../../../lib/clock.ts';
import { type ByteSource, DescriptorTable } from './descriptors.ts';
import { FileTree, filesBelow } from './file-tree.ts';
import {
  decodeHeader,
  encodeFrame,
  FRAME,
  FRAME_HEADER_BYTES,
  type FrameType,
  MAX_PAYLOAD_BYTES,
  MAX_TASK_BYTES,
} from './frames.ts';
import { GuestMemory } from './guest-memory.ts';
import { OutputQuota } from './output-quota.ts';
import { PageStore } from './page-store.ts';
import { watchParent } from './parent-watch.ts';
import { PrintBatch } from './print-batch.ts';
import { runProgram } from './program.ts';
import { ResultRoom } from './result-room.ts';
import { parseTask, SPOOL_FD, type SandboxEnd, type SandboxFile, type SandboxTask } from './sandbox-task.ts';
import { InputError, openStdin, type OutputFolder, placeTask } from './task-files.ts';
import type { WasiContext } from './wasi-context.ts';

// The global `process` and not the module: importing that one opens its streams, which makes both pipes non-blocking.
const STDIN = 0;
const STDOUT = 1;
const STDERR_FD = 2;

/** Files beyond this much go to the spool file. */
const FILE_MEMORY_BYTES = 16 * 1024 * 1024;
const NS_PER_MS = 1_000_000;
const encoder = new TextEncoder();

function endWithParent(): never {
  process.kill(process.pid, 'SIGKILL');
  process.exit(1);
}

function readExactly(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const count = readSync(STDIN, bytes, done, length - done, null);
    if (count === 0) endWithParent();
    done += count;
  }
  return bytes;
}

function readTask(): SandboxTask {
  const { type, length } = decodeHeader(readExactly(FRAME_HEADER_BYTES), 0);
  if (type !== FRAME.task || length > MAX_TASK_BYTES) throw new Error('The first frame is not a task.');
  return parseTask(new TextDecoder().decode(readExactly(length)));
}

/** Blocks until the parent has room for it: a program cannot print faster than its output is taken away. */
function send(type: FrameType, payload: Uint8Array): void {
  const frame = encodeFrame(type, payload);
  printed.before(() => {
    for (let done = 0; done < frame.length; ) done += writeSync(STDOUT, frame, done);
  });
}

function sendJson(type: FrameType, value: SandboxEnd | SandboxFile): void {
  send(type, encoder.encode(JSON.stringify(value)));
}

/** Sends what is in the output folders, and says what of it cannot be sent. */
function sendOutputs(outputs: readonly OutputFolder[]): string | undefined {
  const buffer = new Uint8Array(MAX_PAYLOAD_BYTES);
  let refused: string | undefined;
  for (const { name, directory, apart } of outputs) {
    const room = new ResultRoom();
    for (const { path, file } of filesBelow(directory, (other) => apart.has(other))) {
      if (!file.writable) continue;
      const why = room.refuse(path);
      if (why !== undefined) {
        refused ??= why;
        continue;
      }
      sendJson(FRAME.file, { output: name, path, size: file.size });
      for (let position = 0; position < file.size; position += buffer.length) {
        send(FRAME.data, buffer.subarray(0, file.read(position, buffer)));
      }
    }
  }
  return refused;
}

/** An endless key stream from the seed: as good as the seed, and the same for the same one. */
function randomFrom(seed: string): (bytes: Uint8Array) => void {
  const key = Buffer.from(seed, 'base64');
  const zeros = new Uint8Array(MAX_PAYLOAD_BYTES);
  let cipher: Cipheriv | undefined;
  return (bytes) => {
    // Loaded on first use: it takes longer to load than most programs without it take to run.
    cipher ??= process
      .getBuiltinModule('node:crypto')
      .createCipheriv('aes-256-ctr', key.subarray(0, 32), key.subarray(32, 48));
    for (let done = 0; done < bytes.length; done += zeros.length) {
      bytes.set(cipher.update(zeros.subarray(0, bytes.length - done)), done);
    }
  };
}

/** Ends without an end, as a provider's own failure: its disk refused what the program wrote. */
function giveUp(error: unknown): never {
  writeSync(STDERR_FD, `The disk of this provider refused what the program wrote: ${messageOf(error)}\n`);
  process.exit(1);
}

function contextOf(task: SandboxTask): WasiContext {
  let outputs: OutputFolder[] = [];
  let stdin: ByteSource = { read: () => 0 };
  const cpuBefore = process.cpuUsage();
  const nowNs = (): bigint => BigInt(Math.trunc(systemClock.nowMs())) * BigInt(NS_PER_MS);
  const cpuNs = (): bigint => {
    const { user, system } = process.cpuUsage(cpuBefore);
    return BigInt(user + system) * 1000n;
  };
  const end = (result: Omit<SandboxEnd, 'cpuMs'>): never => {
    const cpuMs = Math.round(Number(cpuNs()) / NS_PER_MS);
    // What a program wrote before it failed is its result as well.
    const refused = sendOutputs(outputs);
    const outcome =
      refused === undefined || result.exitCode === undefined
        ? result
        : ({ exitReason: 'output-limit', message: refused } as const);
    sendJson(FRAME.end, { ...outcome, cpuMs });
    // The program may catch what is thrown through it, so it never gets control back; the parent ends this process.
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };
  const quota = new OutputQuota(task, end);
  const tree = new FileTree(new PageStore(FILE_MEMORY_BYTES, SPOOL_FD, giveUp), quota, nowNs);
  try {
    outputs = placeTask(tree, task);
    stdin = openStdin(tree, task.stdin);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    end({ exitReason: 'input-unavailable', message: messageOf(error) });
  }
  return {
    args: task.args,
    env: task.env,
    memory: new GuestMemory(),
    descriptors: new DescriptorTable([
      { kind: 'stdin', source: stdin, position: 0 },
      { kind: 'print', stream: 'stdout' },
      { kind: 'print', stream: 'stderr' },
      { kind: 'directory', directory: tree.root, preopened: '/' },
    ]),
    tree,
    quota,
    print: (stream, bytes, start, end) => printed.print(stream, bytes, start, end),
    end,
    fillRandom: randomFrom(task.seed),
    nowNs,
    monotonicNs: () => BigInt(Math.round(systemClock.monotonicMs() * NS_PER_MS)),
    cpuNs,
  };
}

const printed = new PrintBatch(() => systemClock.monotonicMs());
const inputRead = watchParent(printed.shared);
const task = readTask();
inputRead();
send(FRAME.running, new Uint8Array(0));
runProgram(task.modulePath, task.memoryBytes, contextOf(task));
