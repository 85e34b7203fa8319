import { writeFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';

const NICE = constants.priority.PRIORITY_BELOW_NORMAL;

/**
 * Lets the work of others run when this machine has nothing better to do: a node that answers late loses jobs.
 * Where the system does not allow it the work runs as everything else does.
 */
export async function lowerPriority(pid: number): Promise<void> {
  try {
    setPriority(pid, NICE);
    // Linux weighs sessions before processes where autogroups are on, and every child is a session.
    await writeFile(`/proc/${pid}/autogroup`, String(NICE));
  } catch {
    // No such process any more, no such file here, or not permitted.
  }
}
