import { Worker } from 'node:worker_threads';
import { flushBatch, lockBatch, type SharedBatch, unlockBatch } from './print-batch.ts';

const OPEN = 1;

/**
 * Runs in a thread of its own, so that a program that spins cannot hold it up. Blocks on standard input, whose
 * other end only the parent has: each byte asks for what is held back of the program's output, and the end of the
 * stream means that the parent is gone, however it went.
 */
const WATCHER = `
const { workerData: { gate, batch } } = require('node:worker_threads');
const { readSync, writeSync } = require('node:fs');
${lockBatch.toString()}
${unlockBatch.toString()}
${flushBatch.toString()}
Atomics.wait(gate, 0, 0);
const asked = Buffer.alloc(64);
try {
  while (readSync(0, asked) > 0) {
    lockBatch(batch.control);
    flushBatch(batch, writeSync);
    unlockBatch(batch.control);
  }
} finally {
  process.kill(process.pid, 'SIGKILL');
}`;

/** Ends this process when its parent has ended. Call the result once standard input has been read. */
export function watchParent(batch: SharedBatch): () => void {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(WATCHER, {
    eval: true,
    // Else the streams of this process are opened for it, which makes the pipes to the parent non-blocking.
    stdout: true,
    stderr: true,
    workerData: { gate, batch },
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
  });
  worker.unref();
  return () => {
    Atomics.store(gate, 0, OPEN);
    Atomics.notify(gate, 0);
  };
}
