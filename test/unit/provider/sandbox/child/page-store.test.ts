import { closeSync, existsSync, ftruncateSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { codeOf } from '../../../../../src/lib/coded-error.ts';
import { PAGE_BYTES, PagedContent, PageStore } from '../../../../../src/provider/sandbox/child/page-store.ts';

const MAX_SIZE = 4 * PAGE_BYTES;

const change = fc.oneof(
  fc.record({
    kind: fc.constant('write' as const),
    file: fc.nat(1),
    at: fc.nat(MAX_SIZE),
    length: fc.nat(2 * PAGE_BYTES),
    byte: fc.integer({ min: 1, max: 255 }),
  }),
  fc.record({ kind: fc.constant('truncate' as const), file: fc.nat(1), at: fc.nat(MAX_SIZE) }),
);

describe('paged file contents', () => {
  let folder = '';
  let spool = 0;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'bidmesh-pages-'));
    spool = openSync(join(folder, 'spool'), 'w+');
  });

  afterAll(() => {
    closeSync(spool);
    rmSync(folder, { recursive: true });
  });

  const budgets = fc.constantFrom(0, PAGE_BYTES, 3 * PAGE_BYTES, 100 * PAGE_BYTES);

  test.prop([budgets, fc.array(change, { maxLength: 12 })], { numRuns: 60 })(
    'are what a plain array would be, in memory and on disk',
    (budget, changes) => {
      ftruncateSync(spool);
      const store = new PageStore(budget, spool);
      const files = [0, 1].map(() => ({
        content: new PagedContent(store),
        model: new Uint8Array(MAX_SIZE + 2 * PAGE_BYTES),
      }));
      for (const step of changes) {
        const file = files[step.file];
        if (step.kind === 'truncate') {
          file?.content.truncate(step.at);
          file?.model.fill(0, step.at);
        } else {
          file?.content.write(step.at, new Uint8Array(step.length).fill(step.byte));
          file?.model.fill(step.byte, step.at, step.at + step.length);
        }
      }
      for (const { content, model } of files) {
        const found = new Uint8Array(model.length).fill(9);
        content.read(0, found);
        expect(Buffer.compare(found, model)).toBe(0);
      }
    },
  );
});

describe.runIf(existsSync('/dev/full'))('a disk without room', () => {
  test('is told apart from what the program did', () => {
    const full = openSync('/dev/full', 'r+');
    const refused: unknown[] = [];
    const store = new PageStore(0, full, (error) => {
      refused.push(codeOf(error));
      throw error;
    });
    expect(() => new PagedContent(store).write(0, new Uint8Array(10))).toThrow('ENOSPC');
    closeSync(full);
    expect(refused).toEqual(['ENOSPC']);
  });
});
