import { readFileSync } from 'node:fs';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { parseRocmJson, readAmdGpus } from '../../../../src/provider/resources/gpu-amd.ts';
import { MAX_GPUS } from '../../../../src/provider/resources/gpu-tool.ts';

const LIMITS = { searchPath: '/bin', timeoutMs: 1000, outputBytes: 1000 };

function fixture(name: string): string {
  return readFileSync(new URL(`../../../fixtures/gpu/${name}`, import.meta.url), 'utf8');
}

describe('the answer of rocm-smi', () => {
  it('gives every property of a device', () => {
    expect(parseRocmJson(fixture('amd-single.json'))).toEqual({
      devices: [
        { index: 0, vendor: 'amd', model: 'Radeon RX 7900 XT', vramBytes: 21_458_059_264, driver: '6.14.14' },
      ],
      notes: [],
    });
  });

  it('gives the two dies of an accelerator as two devices', () => {
    const { devices } = parseRocmJson(fixture('amd-two-dies.json'));
    expect(devices.map((device) => device.index)).toEqual([0, 1]);
  });

  it('reads the keys of older releases', () => {
    const { devices } = parseRocmJson(fixture('amd-older-keys.json'));
    expect(devices).toEqual([
      expect.objectContaining({ model: 'Arcturus GL-XL [AMD Instinct MI100]', vramBytes: 34_342_961_152 }),
    ]);
  });

  it('passes over a warning before the JSON and values that are not stated', () => {
    const { devices, notes } = parseRocmJson(fixture('amd-warning-first.json'));
    expect(devices).toEqual([{ index: 0, vendor: 'amd', model: '0x1586', vramBytes: 536_870_912 }]);
    expect(notes).toEqual([expect.stringContaining('card1')]);
  });

  it.each(['no JSON here', '{', '{"card0": 1}', '{"card0": {"VRAM Total Memory (B)": 5}}', '[]'])(
    'gives no device and a note for %s',
    (text) => {
      const { devices, notes } = parseRocmJson(text);
      expect(devices).toEqual([]);
      expect(notes).toHaveLength(1);
    },
  );

  it('takes an empty answer as no device', () => {
    expect(parseRocmJson('\n')).toEqual({ devices: [], notes: [] });
  });

  it('believes no answer with more devices than any machine has', () => {
    const cards = Array.from({ length: MAX_GPUS + 1 }, (_, index) => [
      `card${index}`,
      { 'VRAM Total Memory (B)': '5' },
    ]);
    expect(parseRocmJson(JSON.stringify(Object.fromEntries(cards))).devices).toEqual([]);
  });

  test.prop([fc.oneof(fc.string({ unit: 'binary' }), fc.json())])('never throws on noise', (noise) => {
    expect(parseRocmJson(noise).devices).toEqual([]);
  });
});

describe('asking rocm-smi', () => {
  it('asks for names, memory and driver as JSON', async () => {
    const asked: string[] = [];
    const reading = await readAmdGpus((name, args) => {
      asked.push(`${name} ${args.join(' ')}`);
      return Promise.resolve({
        outcome: 'ended',
        exitCode: 0,
        stdout: fixture('amd-single.json'),
        stderr: '',
      });
    }, LIMITS);
    expect(reading.devices).toHaveLength(1);
    expect(asked).toEqual(['rocm-smi --showproductname --showmeminfo vram --showdriverversion --json']);
  });

  it('says why there is no device', async () => {
    const failed = {
      outcome: 'ended',
      exitCode: 1,
      stdout: '',
      stderr: 'ERROR: driver not initialized (amdgpu)',
    } as const;
    const { devices, notes } = await readAmdGpus(() => Promise.resolve(failed), LIMITS);
    expect(devices).toEqual([]);
    expect(notes).toEqual(['rocm-smi failed with exit code 1: ERROR: driver not initialized (amdgpu)']);
  });

  it('says nothing where the tool is missing', async () => {
    expect(await readAmdGpus(() => Promise.resolve({ outcome: 'missing' }), LIMITS)).toEqual({
      devices: [],
      notes: [],
    });
  });
});
