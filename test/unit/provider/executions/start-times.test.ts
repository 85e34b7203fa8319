import { beforeEach, describe, expect, it } from 'vitest';
import { StartTimes } from '../../../../src/provider/executions/start-times.ts';

const LIMITS = { startsRemembered: 5, unseenStartMs: 200, longestStartWithinMs: 10_000 };

let starts: StartTimes;

beforeEach(() => {
  starts = new StartTimes(LIMITS);
});

function sawEach(...times: readonly number[]): void {
  for (const ms of times) starts.saw('wasm', ms);
}

describe('the estimate of the next start', () => {
  it('is the default of an engine that has started nothing yet', () => {
    starts.saw('python', 900);
    expect(starts.estimateMs('wasm')).toBe(200);
    expect(starts.estimateMs('python')).toBe(900);
  });

  it('is the middle of the last starts, so that one odd one says nothing', () => {
    sawEach(40, 9000, 60);
    expect(starts.estimateMs('wasm')).toBe(60);
    sawEach(50);
    // Of two in the middle the later: no promise that half of the starts break.
    expect(starts.estimateMs('wasm')).toBe(60);
  });

  it('forgets what is longer ago', () => {
    sawEach(40, 40, 40, 40, 40, 700, 700, 700);
    expect(starts.estimateMs('wasm')).toBe(700);
  });

  it('is a whole number of milliseconds, within what a bid may offer', () => {
    sawEach(12.4);
    expect(starts.estimateMs('wasm')).toBe(12);
    sawEach(1e9, 1e9, 1e9);
    expect(starts.estimateMs('wasm')).toBe(LIMITS.longestStartWithinMs);
    const odd = new StartTimes(LIMITS);
    odd.saw('wasm', -5);
    expect(odd.estimateMs('wasm')).toBe(0);
  });
});
