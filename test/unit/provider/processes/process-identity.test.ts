import { describe, expect, it } from 'vitest';
import { parsePs, parseSample, sampleProcess } from '../../../../src/provider/processes/process-identity.ts';

describe('process identity', () => {
  it('knows this process, and the same one again', async () => {
    const first = await sampleProcess(process.pid);
    const second = await sampleProcess(process.pid);
    expect(first?.startTimeTicks).toBeGreaterThan(0);
    expect(first?.residentBytes).toBeGreaterThan(10_000_000);
    expect(second?.startTimeTicks).toBe(first?.startTimeTicks);
  });

  it('knows that there is no such process', async () => {
    expect(await sampleProcess(2 ** 30)).toBeUndefined();
  });

  it('is not misled by the name of a program', () => {
    const rest = '1 1 1 0 -1 4194304 1 0 0 0 250 50 0 0 20 0 1 0 12345 1000 10';
    expect(parseSample(`7 (a) Z 1) (b) S ${rest}`, 'Name:\tx\nVmRSS:\t   2048 kB\n')).toEqual({
      startTimeTicks: 12345,
      cpuMs: 3000,
      residentBytes: 2048 * 1024,
      ownBytes: 0,
    });
    const told = 'VmRSS:\t 2048 kB\nRssAnon:\t 1000 kB\nRssFile:\t 1040 kB\nRssShmem:\t 8 kB\n';
    expect(parseSample(`7 (a) S ${rest}`, told)?.ownBytes).toBe(1008 * 1024);
    expect(parseSample(`7 (a) Z ${rest}`, '')).toBeUndefined();
    expect(parseSample('', '')).toBeUndefined();
  });

  it('reads ps where there is no /proc', () => {
    const first = parsePs('  2048    01:02 Fri Nov  7 09:08:07 2025\n');
    const later = parsePs('  1000 1-01:02:03 Fri Nov  7 09:08:08 2025\n');
    expect(first?.residentBytes).toBe(2048 * 1024);
    expect((later?.startTimeTicks ?? 0) - (first?.startTimeTicks ?? 0)).toBe(100);
    expect(parsePs('')).toBeUndefined();
  });
});
