import { createServer } from 'node:net';
import { isMainThread } from 'node:worker_threads';

/** What a watched process says of itself since it was last asked. */
export interface StallReading {
  /** The longest time in which nothing but one thing was done. */
  readonly longestMs: number;
  /** The most processor time of the main thread in such a time: what does not depend on other processes. */
  readonly longestCpuMs: number;
  readonly peakRssBytes: number;
}

/** Names the socket on which a process that loads this module answers. */
export const WATCH_VARIABLE = 'BENCH_STALL_SOCKET';

const TICK_MS = 1;
const path = process.env[WATCH_VARIABLE];

// The sandbox's children and the node's threads load it too.
if (path !== undefined && isMainThread && process.argv[2] === 'start') watch(path);

function watch(socketPath: string): void {
  let longestMs = 0;
  let longestCpuMs = 0;
  let peakRssBytes = 0;
  let lastMs = performance.now();
  let lastCpuMs = cpuMs();
  const look = (): void => {
    const nowMs = performance.now();
    const nowCpuMs = cpuMs();
    longestMs = Math.max(longestMs, nowMs - lastMs - TICK_MS);
    longestCpuMs = Math.max(longestCpuMs, nowCpuMs - lastCpuMs);
    peakRssBytes = Math.max(peakRssBytes, process.memoryUsage.rss());
    lastMs = nowMs;
    lastCpuMs = nowCpuMs;
  };
  setInterval(look, TICK_MS).unref();
  createServer((socket) => {
    look();
    socket.on('error', () => {});
    socket.end(JSON.stringify({ longestMs, longestCpuMs, peakRssBytes } satisfies StallReading));
    longestMs = 0;
    longestCpuMs = 0;
    peakRssBytes = 0;
  })
    .listen(socketPath)
    .unref();
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
