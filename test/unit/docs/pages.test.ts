import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { brokenLinks, readPages, sectionOf, tablesOf } from './markdown.ts';

const pages = readPages();

describe('every page', () => {
  it.each([...pages.keys()])('%s links to what is there', (path) => {
    expect(brokenLinks(path, pages)).toEqual([]);
  });

  it('is named in the index, where it is a specification', () => {
    const index = pages.get('specs/README.md') ?? '';
    const specs = [...pages.keys()].filter((path) => path.startsWith('specs/') && path !== 'specs/README.md');
    const missing = specs.filter((path) => !index.includes(`](${path.slice('specs/'.length)})`));
    expect(missing).toEqual([]);
  });
});

describe('specs/architecture.md', () => {
  it('names every folder of the source tree, and none that is not there', () => {
    const [house] = tablesOf(sectionOf(pages.get('specs/architecture.md') ?? '', 'The house'));
    const named = new Set(
      (house?.rows ?? []).flatMap(([, cell = '']) => cell.match(/src\/\w+(?=\/)/g) ?? []),
    );
    const folders = globSync('src/*/**/*.ts').map((path) => path.split(/[\\/]/).slice(0, 2).join('/'));
    expect([...named].sort()).toEqual([...new Set(folders)].sort());
  });
});

describe('specs/glossary.md', () => {
  it('links each term to the file that defines it', () => {
    const text = readFileSync('specs/glossary.md', 'utf8');
    const entries = text.split(/\n(?=- \*\*|## )/).filter((entry) => entry.startsWith('- '));
    const without = entries.filter((entry) => !/\]\(\.\.\/(src|test)\/[^)]+\.ts\)\s*$/.test(entry));
    expect(entries.length).toBeGreaterThan(50);
    expect(without).toEqual([]);
  });
});

describe('the reader of pages', () => {
  it('finds links that lead nowhere', () => {
    const few = new Map([['a/b.md', '# Here\n[x](c.md) [y](#here) [z](#there) [w](https://example.org)']]);
    expect(brokenLinks('a/b.md', few)).toHaveLength(2);
  });

  it('ends a section at the next heading of its level', () => {
    expect(sectionOf('# A\n## B\none\n### C\ntwo\n## D\nthree', 'B')).toBe('one\n### C\ntwo');
    expect(sectionOf('# A\n## B\none', 'B')).toBe('one');
    expect(() => sectionOf('# A', 'B')).toThrow(RangeError);
  });
});
