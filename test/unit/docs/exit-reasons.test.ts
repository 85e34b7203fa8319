import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { exitReasons } from '../../../src/domain/program/task.ts';

describe('specs/states/serving.md', () => {
  it('has every exit reason, and no other', () => {
    const [, table = ''] = readFileSync('specs/states/serving.md', 'utf8').split('## How an execution ends');
    const named = [...table.matchAll(/^\| `([a-z-]+)` \|/gm)].map((row) => row[1]);
    expect(new Set(named)).toEqual(new Set(exitReasons));
    expect(named).toHaveLength(exitReasons.length);
  });
});
