import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../../src/lib/clock.ts';
import { createToolRunner, type ToolRun } from '../../../../src/provider/processes/tool-runner.ts';
import { createScriptedTools, type ScriptedTools } from '../resources/scripted-tools.ts';

const runTool = createToolRunner(systemClock);
let tools: ScriptedTools;

beforeEach(async () => {
  tools = await createScriptedTools();
});

afterEach(() => tools.remove());

function run(
  name: string,
  args: readonly string[] = [],
  timeoutMs = 5000,
  searchPath = tools.folder,
): Promise<ToolRun> {
  return runTool(name, args, { searchPath, timeoutMs, outputBytes: 1000 });
}

/** A killed process that nobody has collected yet counts as ended. */
async function isAlive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') X');
  return !/\) [XZ]/.test(status);
}

describe('running a tool', () => {
  it('gives exit code and both outputs', async () => {
    await tools.add('good', 'echo "to $1"; echo aside >&2; exit 3');
    expect(await run('good', ['$HOME'])).toEqual({
      outcome: 'ended',
      exitCode: 3,
      stdout: 'to $HOME\n',
      stderr: 'aside\n',
    });
  });

  it('gives no exit code to a tool that a signal ended', async () => {
    await tools.add('killed', 'kill -9 $$');
    expect(await run('killed')).toMatchObject({ outcome: 'ended', exitCode: undefined });
  });

  it('passes over files that cannot be run, and relative folders', async () => {
    await tools.add('plain', 'exit 0');
    await chmod(join(tools.folder, 'plain'), 0o644);
    expect(await run('plain')).toEqual({ outcome: 'missing' });
    expect(await run('sh', [], 5000, '.:bin')).toEqual({ outcome: 'missing' });
    expect(await run('nowhere')).toEqual({ outcome: 'missing' });
  });

  it('looks through the folders in their order', async () => {
    await tools.add('good', 'echo first');
    expect(await run('good', [], 5000, `/nonexistent:${tools.folder}:/bin`)).toMatchObject({
      stdout: 'first\n',
    });
  });

  it('says when a file is no program', async () => {
    const path = join(tools.folder, 'broken');
    await writeFile(path, '#!/nonexistent/interpreter\n');
    await chmod(path, 0o755);
    expect(await run('broken')).toMatchObject({ outcome: 'not-started' });
  });

  it('kills a hung tool together with the children it waits for', async () => {
    const pidFile = join(tools.folder, 'pid');
    await tools.add('hung', `sleep 600 & echo $! >"${pidFile}.new"; mv "${pidFile}.new" "${pidFile}"; wait`);
    expect(await run('hung', [], 500)).toEqual({ outcome: 'timeout' });
    const pid = Number(await readFile(pidFile, 'utf8'));
    expect(pid).toBeGreaterThan(1);
    await vi.waitFor(async () => expect(await isAlive(pid)).toBe(false));
  });

  it('ends a tool that prints without end', async () => {
    await tools.add('endless', 'while :; do echo yes; done');
    expect(await run('endless')).toEqual({ outcome: 'output-limit' });
  });

  it('does not wait for a child that the tool leaves behind with its output open', async () => {
    await tools.add('leaves', 'sleep 600 & exit 0');
    expect(await run('leaves', [], 300)).toEqual({ outcome: 'timeout' });
  });
});
