import { spawn } from 'node:child_process';

/** Waits for the end of its standard input, which is the end of the process that started it; or ends that one. */
const WATCHER = `
const [pid, deadlineMs] = process.argv.slice(1).map(Number);
process.stdin.on('end', () => process.exit()).resume();
setTimeout(() => {
  try {
    process.kill(pid, 'SIGKILL');
  } finally {
    process.exit();
  }
}, deadlineMs);`;

/**
 * Sees to it that the process `pid`, which is this one, is gone when the time is over. Its own timers and threads
 * cannot do that: the runtime ends them first and then waits, for as long as it takes, for compilers and for system
 * calls that are under way. So another process watches it, in a session of its own, and ends with it.
 */
export function endWithin(pid: number, nodePath: string, deadlineMs: number): void {
  const watcher = spawn(nodePath, ['-e', WATCHER, String(pid), String(deadlineMs)], {
    env: {},
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // Where no process can be started there is no deadline; whoever asked for the stop still has kill -9.
  watcher.on('error', () => {});
  watcher.stdin.on('error', () => {});
  watcher.unref();
}
