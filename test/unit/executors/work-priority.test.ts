import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, getPriority } from 'node:os';
import { expect, it } from 'vitest';
import { lowerPriority } from '../../../src/provider/executors/work-priority.ts';

it('lets work run behind everything else', async () => {
  const child = spawn(process.execPath, ['--eval', 'process.stdin.resume()'], { detached: true });
  try {
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    expect(getPriority(pid)).toBe(getPriority());
    await lowerPriority(pid);
    expect(getPriority(pid)).toBe(constants.priority.PRIORITY_BELOW_NORMAL);
  } finally {
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }
});

it('takes a process that is gone for what it is', async () => {
  const child = spawn(process.execPath, ['--version']);
  await once(child, 'close');
  await expect(lowerPriority(child.pid ?? 0)).resolves.toBeUndefined();
});
