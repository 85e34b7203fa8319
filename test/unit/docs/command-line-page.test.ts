import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../../src/cli/exit-codes.ts';
import { helpOf } from './command-line.ts';
import { readPages, sectionOf, tablesOf } from './markdown.ts';

const page = readPages().get('specs/command-line.md') ?? '';

function firstColumn(section: string): readonly string[] {
  const [table] = tablesOf(sectionOf(page, section));
  return (table?.rows ?? []).map(([cell = '']) => cell.replaceAll('`', ''));
}

describe('specs/command-line.md', () => {
  it('has every exit code, and none that is not one', () => {
    const stated = firstColumn('Exit codes').filter((code) => code !== 'any');
    expect(stated.map(Number)).toEqual(Object.values(exitCodes));
  });

  it('has every code of a request that fails on this side', () => {
    const source = readFileSync('src/cli/request-failure.ts', 'utf8');
    const codes = new Set([...source.matchAll(/'(API_[A-Z_]+)'/g)].map(([, code = '']) => code));
    const stated = firstColumn('What goes wrong with a request').filter((code) => code !== 'USAGE');
    expect(new Set(stated)).toEqual(codes);
  });

  it('has every flag that goes with a program', async () => {
    const help = (await helpOf(['job', 'run'])) ?? '';
    const flags = [...help.matchAll(/^ {2}(--[a-z-]+).* with a program:/gm)].map(([, flag]) => flag);
    expect(firstColumn('Programs')).toEqual(flags);
  });
});
