import { readdirSync, readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { engines } from '../../../src/engines/index.ts';
import { engineNamed, engineTypes } from '../../../src/engines/registry.ts';
import type { Engine } from '../../../src/engines/engine.ts';
import { createDrivers } from '../../../src/provider/engines/drivers.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { systemRandom } from '../../../src/lib/random.ts';

const foldersIn = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

describe('the engines', () => {
  it('each have a folder, a driver and a section in specs', () => {
    const drivers = createDrivers({
      nodePath: '',
      searchPath: '',
      useBubblewrap: 'never',
      clock: systemClock,
      random: systemRandom,
    });
    expect(foldersIn('src/engines')).toEqual(engineTypes.toSorted());
    expect(foldersIn('src/provider/engines')).toEqual(engineTypes.toSorted());
    expect(drivers.map(({ engine }) => engine)).toEqual(engineTypes);
    const page = readFileSync('specs/engines.md', 'utf8');
    expect(engineTypes.filter((type) => !page.includes(`\n## ${type}\n`))).toEqual([]);
  });

  it.each(['cobol', '', '__proto__', 'toString'])('are not called %j', (type) => {
    expect(engineNamed(type)).toBeUndefined();
  });
});

describe('a list of engines', () => {
  const [first] = engines;
  beforeEach(() => vi.resetModules());

  const registryOf = async (list: readonly (Engine | undefined)[]): Promise<unknown> => {
    vi.doMock('../../../src/engines/index.ts', () => ({ engines: list }));
    try {
      return await import('../../../src/engines/registry.ts');
    } finally {
      vi.doUnmock('../../../src/engines/index.ts');
    }
  };

  it.each<[string, Partial<Engine>]>([
    ['a name that is another’s', { type: 'wasm' }],
    ['a name that cannot be typed', { type: 'my engine' }],
    ['a param that every program has', { type: 'other', params: { args: undefined as never } }],
    [
      'content by the name of what every program has',
      { type: 'other', content: { stdin: { inline: 'text' } } },
    ],
    [
      'a shortcut to no param of it',
      { type: 'other', shortcut: { param: 'x', extensions: [], startsWith: 'text' } },
    ],
  ])('with %s is refused', async (_, changes) => {
    const added = first === undefined ? undefined : { ...first, ...changes };
    await expect(registryOf([...engines, added])).rejects.toMatchObject({ code: 'ASSERTION' });
  });
});
