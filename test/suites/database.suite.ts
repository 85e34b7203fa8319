import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database, KeyRange, Operation } from '../../src/store/database.ts';

export interface DatabaseFixture {
  /** Opens the same database each time. */
  open(): Promise<Database>;
  remove(): Promise<void>;
}

const put = (key: string, text: string): Operation => ({
  type: 'put',
  key,
  value: new TextEncoder().encode(text),
});
const del = (key: string): Operation => ({ type: 'del', key });
const everything: KeyRange = { gte: '', lt: '\u{10ffff}' };

/** The contract of `Database`: every implementation keeps it. */
export function databaseSuite(name: string, setUp: () => Promise<DatabaseFixture>): void {
  describe(`${name} as a database`, () => {
    let fixture: DatabaseFixture;
    let database: Database;

    beforeEach(async () => {
      fixture = await setUp();
      database = await fixture.open();
    });

    afterEach(async () => {
      await database.close();
      await fixture.remove();
    });

    const textOf = async (key: string): Promise<string | undefined> => {
      const bytes = await database.get(key);
      return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    };
    const keysIn = async (range: KeyRange): Promise<string[]> => {
      const keys: string[] = [];
      for await (const [key] of database.range(range)) keys.push(key);
      return keys;
    };

    it('gives back what was put, and undefined for what is not there', async () => {
      await database.batch([put('a', 'one'), put('b', '')]);
      expect(await textOf('a')).toBe('one');
      expect(await textOf('b')).toBe('');
      expect(await textOf('c')).toBeUndefined();
    });

    it('says at once that a key is not there, and only then', async () => {
      expect(database.lacks('a')).toBe(true);
      await database.batch([put('a', ''), put('b', 'two')]);
      expect(['a', 'b', 'c'].map((key) => database.lacks(key))).toEqual([false, false, true]);
      await database.batch([del('a')]);
      expect(database.lacks('a')).toBe(true);
      await database.close();
      expect(database.lacks('a')).toBe(false);
      database = await fixture.open();
      expect(['a', 'b'].map((key) => database.lacks(key))).toEqual([true, false]);
    });

    it('applies the operations of a batch in their order', async () => {
      await database.batch([put('a', '1'), del('a'), put('b', '1'), put('b', '2'), del('c'), put('c', '3')]);
      expect(await textOf('a')).toBeUndefined();
      expect(await textOf('b')).toBe('2');
      expect(await textOf('c')).toBe('3');
    });

    it('keeps the order of batches that are written at once', async () => {
      await Promise.all([database.batch([put('a', '1')]), database.batch([put('a', '2')])]);
      expect(await textOf('a')).toBe('2');
    });

    it('walks through keys in the order of their bytes', async () => {
      const sorted = ['A', 'a', 'a!', 'a/', 'aa', 'b', 'é', '\ue000', '\uffee', '\u{1f600}'];
      await database.batch(sorted.toReversed().map((key) => put(key, key)));
      expect(await keysIn(everything)).toEqual(sorted);
      expect(await keysIn({ ...everything, reverse: true })).toEqual(sorted.toReversed());
    });

    it('keeps to the bounds of a range', async () => {
      await database.batch(['a', 'b', 'c', 'd'].map((key) => put(key, key)));
      expect(await keysIn({ gte: 'b', lt: 'd' })).toEqual(['b', 'c']);
      expect(await keysIn({ gte: 'b', lt: 'd', limit: 1 })).toEqual(['b']);
      expect(await keysIn({ gte: 'a', lt: 'd', limit: 2, reverse: true })).toEqual(['c', 'b']);
      expect(await keysIn({ gte: 'a', lt: 'a' })).toEqual([]);
      expect(await keysIn({ gte: 'c', lt: 'a' })).toEqual([]);
      expect(await keysIn({ gte: 'x', lt: 'z' })).toEqual([]);
    });

    it('walks through many more entries than one read brings', async () => {
      const keys = Array.from({ length: 700 }, (_, index) => String(index).padStart(4, '0'));
      await database.batch(keys.map((key) => put(key, key)));
      expect(await keysIn(everything)).toEqual(keys);
    });

    it('shows a range as it was at its first entry', async () => {
      await database.batch(['a', 'b', 'c'].map((key) => put(key, 'old')));
      const seen: string[] = [];
      for await (const [key, value] of database.range(everything)) {
        if (seen.length === 0) await database.batch([put('b', 'new'), del('c'), put('d', 'new')]);
        seen.push(`${key}=${new TextDecoder().decode(value)}`);
      }
      expect(seen).toEqual(['a=old', 'b=old', 'c=old']);
      expect(await keysIn(everything)).toEqual(['a', 'b', 'd']);
    });

    it('stays usable after a walk that was left early', async () => {
      await database.batch([put('a', '1'), put('b', '2')]);
      for await (const [key] of database.range(everything)) if (key === 'a') break;
      expect(await keysIn(everything)).toEqual(['a', 'b']);
    });

    it('holds its own bytes, whatever happens to those it was given or gave', async () => {
      const value = Uint8Array.of(1);
      const writing = database.batch([{ type: 'put', key: 'a', value }]);
      await writing;
      value[0] = 2;
      (await database.get('a'))?.fill(3);
      expect(await database.get('a')).toEqual(Uint8Array.of(1));
    });

    it('has everything again after it was closed and opened', async () => {
      await database.batch([put('a', '1'), put('b', '2')]);
      const late = database.batch([del('a')]);
      await database.close();
      await late;
      database = await fixture.open();
      expect(await keysIn(everything)).toEqual(['b']);
    });

    it('refuses to be opened twice', async () => {
      await expect(fixture.open()).rejects.toMatchObject({ code: 'DATABASE_LOCKED' });
      await database.batch([put('a', '1')]);
      expect(await textOf('a')).toBe('1');
    });

    it('refuses everything once it is closed, but another close', async () => {
      await database.close();
      await database.close();
      await expect(database.get('a')).rejects.toMatchObject({ code: 'STORE_CLOSED' });
      await expect(database.batch([put('a', '1')])).rejects.toMatchObject({ code: 'STORE_CLOSED' });
      await expect(keysIn(everything)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    });
  });
}
