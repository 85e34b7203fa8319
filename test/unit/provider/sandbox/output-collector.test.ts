import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  isPlainPath,
  OutputCollector,
  OutputError,
} from '../../../../src/provider/sandbox/output-collector.ts';

const LIMITS = { wallClockMs: 1, memoryBytes: 1, outputBytes: 10, outputFiles: 2 };

describe('the output collector', () => {
  let base = '';
  let folder = '';
  let collector: OutputCollector;
  const announce = (output: string, path: string, size: number): Promise<void> =>
    collector.startFile(Buffer.from(JSON.stringify({ output, path, size })));

  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'bidmesh-outputs-'));
    folder = join(base, 'outputs');
    collector = new OutputCollector(folder, ['out'], LIMITS);
  });

  afterEach(async () => {
    await collector.close();
    await rm(base, { recursive: true });
  });

  it('writes files under numbers of its own', async () => {
    await announce('out', 'a/b', 3);
    await collector.addData(Buffer.from('ab'));
    await collector.addData(Buffer.from('c'));
    await announce('out', 'empty', 0);
    expect(collector.finish()).toEqual([
      { output: 'out', path: 'a/b', hostPath: join(folder, '0'), size: 3 },
      { output: 'out', path: 'empty', hostPath: join(folder, '1'), size: 0 },
    ]);
    expect(await readdir(folder)).toEqual(['0', '1']);
    expect(await readFile(join(folder, '0'), 'utf8')).toBe('abc');
  });

  it.each([
    '../a',
    '/a',
    'a//b',
    'a/../b',
    './a',
    '',
    'a\0b',
    'x'.repeat(256),
    'd/'.repeat(65) + 'a',
    '\ud800',
  ])('does not believe the path %j', async (path) => {
    await expect(announce('out', path, 0)).rejects.toThrow(OutputError);
  });

  it('does not believe more bytes or files than the limits allow', async () => {
    collector.countBytes(8);
    await expect(announce('out', 'a', 3)).rejects.toThrow(OutputError);
    collector = new OutputCollector(folder, ['out'], LIMITS);
    await announce('out', 'a', 0);
    await announce('out', 'b', 0);
    await expect(announce('out', 'c', 0)).rejects.toThrow(OutputError);
  });

  it('does not believe a file twice, for an unknown output, or without its bytes', async () => {
    await announce('out', 'a', 1);
    await expect(announce('out', 'b', 0)).rejects.toThrow(OutputError);
    expect(() => collector.finish()).toThrow(OutputError);
    await expect(collector.addData(Buffer.from('too much'))).rejects.toThrow(OutputError);
    await collector.addData(Buffer.from('x'));
    await expect(collector.addData(Buffer.from('x'))).rejects.toThrow(OutputError);
    await expect(announce('out', 'a', 0)).rejects.toThrow(OutputError);
    await expect(announce('other', 'a', 0)).rejects.toThrow(OutputError);
  });

  it('knows a plain path', () => {
    expect(['a', 'a/b', 'ü', '..a', 'a..', ' '].every(isPlainPath)).toBe(true);
  });
});
