import { readFileSync } from 'node:fs';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { RunTool, ToolRun } from '../../../../src/provider/processes/tool-runner.ts';
import { parseNvidiaCsv, readNvidiaGpus } from '../../../../src/provider/resources/gpu-nvidia.ts';
import { MAX_GPUS } from '../../../../src/provider/resources/gpu-tool.ts';

const MEBIBYTE = 1024 ** 2;
const LIMITS = { searchPath: '/bin', timeoutMs: 1000, outputBytes: 1000 };

function fixture(name: string): string {
  return readFileSync(new URL(`../../../fixtures/gpu/${name}`, import.meta.url), 'utf8');
}

function answers(...runs: readonly ToolRun[]): { runTool: RunTool; queries: string[] } {
  const queries: string[] = [];
  return {
    queries,
    runTool: (name, args) => {
      queries.push(`${name} ${args.join(' ')}`);
      return Promise.resolve(runs[queries.length - 1] ?? { outcome: 'missing' });
    },
  };
}

function ended(stdout: string, exitCode = 0): ToolRun {
  return { outcome: 'ended', exitCode, stdout, stderr: '' };
}

describe('the table of nvidia-smi', () => {
  it('gives every property of a device', () => {
    expect(parseNvidiaCsv(fixture('nvidia-single.csv'))).toEqual({
      devices: [
        {
          index: 0,
          vendor: 'nvidia',
          model: 'NVIDIA GeForce RTX 2080',
          vramBytes: 7979 * MEBIBYTE,
          driver: '550.54.15',
          computeCapability: '7.5',
          uuid: 'GPU-22b2c6ac-2d49-4863-197c-9c469071178a',
        },
      ],
      notes: [],
    });
  });

  it('gives eight devices their own index and id', () => {
    const { devices, notes } = parseNvidiaCsv(fixture('nvidia-eight.csv'));
    expect(devices.map((device) => device.index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(new Set(devices.map((device) => device.uuid)).size).toBe(8);
    expect(notes).toEqual([]);
  });

  it('keeps unlike devices apart', () => {
    const { devices } = parseNvidiaCsv(fixture('nvidia-mixed.csv'));
    expect(devices.map((device) => [device.model, device.computeCapability])).toEqual([
      ['NVIDIA TITAN V', '7.0'],
      ['NVIDIA RTX 5880 Ada Generation', '8.9'],
    ]);
  });

  it('offers no device whose memory is not stated, and no slice of one', () => {
    const { devices, notes } = parseNvidiaCsv(fixture('nvidia-mig.csv'));
    expect(devices.map((device) => device.index)).toEqual([0]);
    expect(notes).toHaveLength(2);
  });

  it('leaves out what is not stated', () => {
    const { devices, notes } = parseNvidiaCsv(fixture('nvidia-not-available.csv'));
    expect(devices).toHaveLength(1);
    expect(devices[0]).not.toHaveProperty('driver');
    expect(devices[0]).not.toHaveProperty('computeCapability');
    expect(notes).toEqual([expect.stringContaining('NVIDIA GB10')]);
  });

  it('believes the first of two devices with one index', () => {
    const { devices, notes } = parseNvidiaCsv(fixture('nvidia-single.csv').repeat(2));
    expect(devices).toHaveLength(1);
    expect(notes).toHaveLength(1);
  });

  it('believes no answer with more devices than any machine has', () => {
    const line = fixture('nvidia-single.csv').slice(1);
    const text = Array.from({ length: MAX_GPUS + 1 }, (_, index) => `${index}${line}`).join('');
    expect(parseNvidiaCsv(text).devices).toEqual([]);
  });

  test.prop([fc.string({ unit: 'binary' })])('gives no device and no exception for noise', (noise) => {
    expect(parseNvidiaCsv(noise).devices).toEqual([]);
  });
});

describe('asking nvidia-smi', () => {
  it('asks once for the six properties', async () => {
    const { runTool, queries } = answers(ended(fixture('nvidia-single.csv')));
    expect((await readNvidiaGpus(runTool, LIMITS)).devices).toHaveLength(1);
    expect(queries).toEqual([
      'nvidia-smi --query-gpu=index,uuid,name,memory.total,driver_version,compute_cap --format=csv,noheader,nounits',
    ]);
  });

  it('asks an older driver again without the compute capability', async () => {
    const { runTool, queries } = answers(
      ended(fixture('nvidia-field-refused.txt'), 2),
      ended(fixture('nvidia-no-compute-cap.csv')),
    );
    const { devices, notes } = await readNvidiaGpus(runTool, LIMITS);
    expect(queries).toHaveLength(2);
    expect(queries[1]).not.toContain('compute_cap');
    expect(devices).toEqual([
      expect.objectContaining({ model: 'Tesla V100-SXM2-16GB', driver: '470.182.03' }),
    ]);
    expect(devices[0]).not.toHaveProperty('computeCapability');
    expect(notes).toEqual([]);
  });

  it.each([
    ['nvidia-no-driver.txt', 9],
    ['nvidia-gpu-lost.txt', 15],
  ])('says why there is no device: %s', async (name, exitCode) => {
    const { devices, notes } = await readNvidiaGpus(answers(ended(fixture(name), exitCode)).runTool, LIMITS);
    expect(devices).toEqual([]);
    expect(notes).toEqual([expect.stringContaining(fixture(name).slice(0, 30))]);
    expect(notes).toEqual([expect.stringContaining(`exit code ${exitCode}`)]);
  });

  it('takes a machine with a driver and no device as it is', async () => {
    const { runTool } = answers(ended(fixture('nvidia-no-devices.txt'), 6));
    expect(await readNvidiaGpus(runTool, LIMITS)).toEqual({ devices: [], notes: [] });
  });

  it.each<ToolRun>([
    { outcome: 'timeout' },
    { outcome: 'output-limit' },
    { outcome: 'not-started', message: 'EACCES' },
    { outcome: 'ended', exitCode: undefined, stdout: '', stderr: '' },
  ])('notes a run that is $outcome', async (run) => {
    const { devices, notes } = await readNvidiaGpus(answers(run).runTool, LIMITS);
    expect(devices).toEqual([]);
    expect(notes).toHaveLength(1);
  });
});
