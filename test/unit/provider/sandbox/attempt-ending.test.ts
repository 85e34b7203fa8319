import { describe, expect, it } from 'vitest';
import { endingOfLost } from '../../../../src/provider/sandbox/attempt-ending.ts';

describe('a child that ended without a word', () => {
  it.each(['SIGSEGV', 'SIGABRT', 'SIGTRAP', 139, 133])('by %s was brought down by its program', (how) => {
    expect(endingOfLost('', how, true)).toMatchObject({ exitReason: 'trap' });
  });

  it.each<[string | number, boolean]>([
    ['SIGSEGV', false],
    ['SIGKILL', true],
    ['SIGTERM', true],
    [137, true],
    [1, true],
    ['unknown', true],
  ])('by %s is the matter of the node (started: %s)', (how, started) => {
    expect(endingOfLost('', how, started)).toMatchObject({ exitReason: 'internal' });
  });

  it('that says it has no memory left needed too much of it', () => {
    const said = 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory';
    expect(endingOfLost(said, 'SIGABRT', true)).toMatchObject({ exitReason: 'out-of-memory' });
  });
});
