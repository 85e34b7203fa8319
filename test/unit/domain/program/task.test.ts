import { describe, expect, it } from 'vitest';
import { contentRefsOf, isContentRef } from '../../../../src/domain/program/task.ts';

const ref = (cid: string): { cid: string; size: number } => ({ cid, size: 1 });

describe('the content of a program', () => {
  it('is what its params, its standard input and its inputs name, whichever engine runs it', () => {
    const engine = {
      type: 'any',
      args: ['cid', 'size'],
      env: { cid: 'text', size: '7' },
      stdin: ref('stdin'),
      image: ref('image'),
      layers: 3,
    };
    const inputs = [{ target: '/data', content: ref('input') }];
    const cids = contentRefsOf(engine, inputs).map(({ cid }) => cid);
    expect(cids.toSorted()).toEqual(['image', 'input', 'stdin']);
  });

  it.each([
    [undefined],
    [null],
    ['text'],
    [{ cid: 'a' }],
    [{ cid: 'a', size: '1' }],
    [{ ...ref('a'), more: 1 }],
  ])('is not %j', (value) => {
    expect(isContentRef(value)).toBe(false);
  });
});
