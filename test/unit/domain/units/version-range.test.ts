import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { rangeProblem, readVersion, versionInRange } from '../../../../src/domain/units/version-range.ts';
import { parseNvidiaCsv } from '../../../../src/provider/resources/gpu-nvidia.ts';

const FIXTURES = new URL('../../../fixtures/gpu/', import.meta.url);

describe('a version in a range', () => {
  it.each([
    ['535.183.01', '>=535', true],
    ['535.183.01', '>=535.104.05', true],
    ['535.104.05', '>=535.104.05', true],
    ['535.104.05', '535.104.05', true],
    ['535.86.10', '>=535.104.05', false],
    ['560.35.03', '>=550', true],
    ['560.35.03', '>=550 <560.35.04', true],
    ['560.35.03', '<560.35.03', false],
    ['470.182.03', '^535 || >=470.82 <471', true],
    ['470.82', '>=470.82.01', false],
    ['470.82', '>=470.82', true],
    ['525.105.17', '520.00 - 530.01', true],
    ['535.183.01.02', '>=535.183.01', true],
    ['535.183.01.02', '=v535.183.01.02', true],
    ['550.54.14', '550.x', true],
    ['12.8', '>=12.06', true],
    ['12.1', '>=9.0', true],
    ['8.9', '>=9.0', false],
    ['1.2.3-beta.1', '>=1.2.3-beta.01', undefined],
    ['1.2.3-beta.1', '>=1.2.3', false],
    ['4.18.0-348.12.2.el8_5.x86_64', '>=4.18', true],
    ['Python 3.12.03', '~3.12.3', true],
    ['unknown', '>=1', undefined],
    ['1.0.0', 'banana', undefined],
  ])('%s in %s: %s', (version, range, expected) => {
    expect(versionInRange(version, range)).toBe(expected);
  });

  it('reads the driver of every device that nvidia-smi names, and its compute capability', () => {
    const files = readdirSync(FIXTURES).filter((file) => /^nvidia-.*\.csv$/.test(file));
    const devices = files.flatMap(
      (file) => parseNvidiaCsv(readFileSync(new URL(file, FIXTURES), 'utf8')).devices,
    );
    expect(devices.length).toBeGreaterThan(10);
    for (const { driver, computeCapability } of devices) {
      for (const text of [driver, computeCapability]) {
        if (text === undefined) continue;
        expect([text, versionInRange(text, `>=${text}`), versionInRange(text, `<${text}`)]).toEqual([
          text,
          true,
          false,
        ]);
      }
    }
  });

  it('orders versions with zeros before their numbers', () => {
    expect(readVersion('535.183.01')?.format()).toBe('535.183.1');
    expect(readVersion(`${'9'.repeat(40)}.1`)).toBeUndefined();
  });
});

describe('a range', () => {
  it.each([
    '>=535.104.05',
    '550',
    '^8.6',
    '8.x',
    '>=8.6 <9',
    '525 - 535.01',
    '470.82 || >=535',
    '*',
    '>1.2.1 <1.3',
    '>=1.0.0-alpha <1.0.0',
    '>1.0.0-alpha <1.0.0-beta',
  ])('%s can be met', (range) => {
    expect(rangeProblem(range)).toBeUndefined();
  });

  it.each(['banana', '', ' ', '>=x', 'x', '>=', '5 ||', 'latest', `>=${'9'.repeat(40)}`])(
    '%j is no range',
    (range) => {
      expect(rangeProblem(range)).toMatch(/^expected a version range such as/);
    },
  );

  it.each(['>600 <500', '>=8.6 <8.06', '>600 <500 || >2 <1'])('%s excludes every version', (range) => {
    expect(rangeProblem(range)).toMatch(/^no version is in this range/);
  });
});
