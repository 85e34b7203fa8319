import { describe, expect, it } from 'vitest';
import { tableOf } from '../../../../src/cli/output/table.ts';

describe('a table', () => {
  it('is as wide as what is in it', () => {
    expect(
      tableOf(
        ['A', 'B'],
        [
          ['x'.repeat(6), '1'],
          ['y', ''],
        ],
      ).split('\n'),
    ).toEqual(['A       B', 'xxxxxx  1', 'y']);
  });

  it('is not widened by what is wider than it may be', () => {
    const rows = [
      ['xxxxxx', 'xxxx', '1'],
      ['yyyy', '', '2'],
      ['  zzzz', 'zzzzz', '3'],
      ['      ', '😀😀😀😀😀', '4'],
    ];
    expect(tableOf(['A', 'B', 'C'], rows, 4).split('\n')).toEqual([
      'A     B     C',
      'xxxxxx  xxxx  1',
      'yyyy        2',
      '  zzzz  zzzzz  3',
      '        😀😀😀😀😀  4',
    ]);
  });

  it('has all of each text, one of which may be in another', () => {
    const [, line] = tableOf(['A', 'B', 'C'], [['123', '12345', '1234567']], 2).split('\n');
    expect(line).toBe('123  12345  1234567');
  });
});
