import { Worker } from 'node:worker_threads';

const OPEN = 1;

/**
 * Runs in a thread of its own, so that a program that spins cannot hold it up. Blocks on standard input, whose
 * other end only the parent has: the end of the stream means that the parent is gone, however it went.
 */
const WATCHER = `
const { workerData } = require('node:worker_threads');
const { readSync } = require('node:fs');
Atomics.wait(workerData, 0, 0);
try {
  while (readSync(0, Buffer.alloc(1)) > 0);
} finally {
  process.kill(process.pid, 'SIGKILL');
}`;

/** Ends this process when its parent has ended. Call the result once standard input has been read. */
export function watchParent(): () => void {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(WATCHER, {
    eval: true,
    // Else the streams of this process are opened for it, which makes the pipes to the parent non-blocking.
    stdout: true,
    stderr: true,
    workerData: gate,
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
