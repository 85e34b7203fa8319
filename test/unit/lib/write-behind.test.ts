import { describe, expect, it } from 'vitest';
import { WriteBehind } from '../../../src/lib/write-behind.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';

describe('writing behind', () => {
  it('does one write after the other, each with what changed since the one before', async () => {
    const clock = new FakeClock();
    const writes: { readonly keys: readonly string[]; readonly end: () => void }[] = [];
    const behind = new WriteBehind(10, {
      clock,
      write: (keys) => new Promise((resolve) => writes.push({ keys, end: resolve })),
      onFailed: () => {},
    });
    const keys = (): unknown => writes.map((write) => write.keys);
    behind.changed('a');
    await clock.advanceBy(10);
    behind.changed('b');
    behind.changed('b');
    await clock.advanceBy(10);
    expect(keys()).toEqual([['a']]);
    writes[0]?.end();
    await clock.settle();
    expect(keys()).toEqual([['a'], ['b']]);
    let flushed = false;
    void behind.flush().then(() => {
      flushed = true;
    });
    await clock.settle();
    expect(flushed).toBe(false);
    writes[1]?.end();
    await clock.settle();
    expect(flushed).toBe(true);
  });

  it('tells of a write that failed, and goes on with what changes next', async () => {
    const clock = new FakeClock();
    const written: string[] = [];
    const failures: unknown[] = [];
    const behind = new WriteBehind(10, {
      clock,
      write: (keys) => {
        if (keys.includes('bad')) return Promise.reject(new Error('no'));
        written.push(...keys);
        return Promise.resolve();
      },
      onFailed: (error) => failures.push(error),
    });
    behind.changed('bad');
    await behind.flush();
    behind.changed('good');
    await behind.flush();
    expect(failures).toHaveLength(1);
    expect(written).toEqual(['good']);
  });
});
