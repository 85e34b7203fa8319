/** What the process answers with; `job run` passes on the code of the job's program instead of 1. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  /** What was to be printed broke off and could not be taken up again. */
  brokenOff: 3,
  /** Ended by Ctrl-C, as shells have it. */
  interrupted: 130,
} as const;

/** The program's exit code as a process can pass it on: 1 to 255, and never 0 for one that is not. */
export function passedOn(exitCode: number): number {
  if (exitCode === 0) return exitCodes.ok;
  const low = exitCode & 0xff;
  return low === 0 ? exitCodes.failure : low;
}
