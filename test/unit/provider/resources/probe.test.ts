import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../../src/lib/clock.ts';
import { createToolRunner } from '../../../../src/provider/processes/tool-runner.ts';
import { createHardwareProbe, type MachineInventory } from '../../../../src/provider/resources/probe.ts';
import { cpuVendor } from '../../../../src/provider/resources/system.ts';
import { createScriptedTools, type ScriptedTools } from './scripted-tools.ts';

const TIMEOUT_MS = 2000;
let tools: ScriptedTools;

beforeEach(async () => {
  tools = await createScriptedTools();
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await tools.remove();
});

function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../../../fixtures/gpu/${name}`, import.meta.url));
}

function probe(
  options: { timeoutMs?: number; constrainedMemoryBytes?: number; dataDir?: string } = {},
): Promise<MachineInventory> {
  return createHardwareProbe({
    clock: systemClock,
    dataDir: tools.folder,
    searchPath: tools.folder,
    runTool: createToolRunner(systemClock),
    timeoutMs: TIMEOUT_MS,
    ...options,
  }).probe();
}

/** A shell body that prints a fixture without another program. */
function print(name: string, exitCode = 0): string {
  return `while IFS= read -r line; do echo "$line"; done <"${fixturePath(name)}"; exit ${exitCode}`;
}

describe('the hardware probe', () => {
  it('finds processor, memory and disk on a machine without GPU tools', async () => {
    const { resources, cpu, notes } = await probe();
    expect(resources.cpuMillis).toBe(availableParallelism() * 1000);
    expect(cpu.cores).toBe(availableParallelism());
    expect(resources.memoryBytes).toBe(totalmem());
    expect(resources.diskBytes).toBeGreaterThan(0);
    expect(resources.gpus).toEqual([]);
    expect(cpu).toEqual({
      ...cpu,
      arch: process.arch,
      model: expect.stringMatching(/\S/),
      vendor: expect.stringMatching(/\S/),
    });
    expect(notes).toEqual([]);
  });

  it('offers no more memory than the process may use', async () => {
    expect((await probe({ constrainedMemoryBytes: 1024 })).resources.memoryBytes).toBe(1024);
    expect((await probe({ constrainedMemoryBytes: 0 })).resources.memoryBytes).toBe(totalmem());
    expect((await probe({ constrainedMemoryBytes: 2 ** 63 })).resources.memoryBytes).toBe(totalmem());
  });

  it('finds the disk of a folder that is not there yet, and without any tool', async () => {
    vi.stubEnv('PATH', '');
    const { resources, notes } = await probe({ dataDir: join(tools.folder, 'not', 'yet') });
    expect(resources.diskBytes).toBeGreaterThan(0);
    expect(notes).toEqual([]);
  });

  it('offers no disk and says so where its space is unknown', async () => {
    const { resources, notes } = await probe({ dataDir: 'nothing/of\0this' });
    expect(resources.diskBytes).toBe(0);
    expect(notes).toEqual([expect.stringContaining('free disk space')]);
  });

  it('numbers the devices of two makers apart', async () => {
    await tools.add('nvidia-smi', print('nvidia-mixed.csv'));
    await tools.add('rocm-smi', print('amd-two-dies.json'));
    const { resources, notes } = await probe();
    expect(resources.gpus.map((gpu) => [gpu.index, gpu.vendor])).toEqual([
      [0, 'nvidia'],
      [1, 'nvidia'],
      [2, 'amd'],
      [3, 'amd'],
    ]);
    expect(notes).toEqual([]);
  });

  it('finds the rest of the machine when a tool hangs', async () => {
    await tools.add('nvidia-smi', 'exec sleep 600');
    await tools.add('rocm-smi', print('amd-single.json'));
    const { resources, notes } = await probe({ timeoutMs: 500 });
    expect(resources.gpus.map((gpu) => gpu.vendor)).toEqual(['amd']);
    expect(notes).toContainEqual('nvidia-smi did not answer in time and was ended.');
  });

  it('has no GPU and a note when a tool fails', async () => {
    await tools.add('nvidia-smi', print('nvidia-no-driver.txt', 9));
    const { resources, notes } = await probe();
    expect(resources.gpus).toEqual([]);
    expect(notes).toEqual([
      expect.stringContaining(readFileSync(fixturePath('nvidia-no-driver.txt'), 'utf8').slice(0, 80)),
    ]);
  });

  it('has no GPU and a note when a tool prints something else', async () => {
    await tools.add('nvidia-smi', 'printf "\\033[31msomething\\n"');
    const { resources, notes } = await probe();
    expect(resources.gpus).toEqual([]);
    expect(notes).toEqual(['nvidia-smi gave a line that names no usable device: ?[31msomething']);
  });
});

describe('the parts of the system facts', () => {
  it.each([
    ['GenuineIntel', 'intel'],
    ['AuthenticAMD', 'amd'],
    ['AMD', 'amd'],
    ['Apple', 'apple'],
    ['ARM', 'arm'],
    ['Zhaoxin ', 'zhaoxin'],
  ])('calls the maker %s %s', (name, vendor) => {
    expect(cpuVendor(name)).toBe(vendor);
  });
});
