import { expect, it } from 'vitest';
import { CodedError } from '../../../src/lib/coded-error.ts';
import { JobLane } from '../../../src/orchestrator/job-lane.ts';
import { type RecoveryNeeds, recoverJobs } from '../../../src/orchestrator/recovery.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';

/** Where no job is open, nothing else is needed. */
function needs(changes: Partial<RecoveryNeeds['store']>, unpinned: string[]): RecoveryNeeds {
  const clock = new FakeClock();
  const unreadable = async (): Promise<never> => {
    throw new CodedError('RECORD_UNREADABLE', 'It is damaged.');
  };
  const lane = new JobLane({
    clock,
    chance: () => 0,
    signal: new AbortController().signal,
    store: {
      newest: unreadable,
      begin: unreadable,
      newestContract: unreadable,
      settled: async () => {},
    },
  });
  const store = {
    openJobs: async () => [],
    lastFinished: async () => [],
    snapshot: unreadable,
    contract: unreadable,
    ...changes,
  };
  const parts: Pick<RecoveryNeeds, 'clock' | 'lane' | 'store' | 'unpin' | 'counterparts'> = {
    clock,
    lane,
    store,
    counterparts: { seen: () => {}, complete: () => {} },
    unpin: async (jobId) => void unpinned.push(jobId),
  };
  return parts as RecoveryNeeds;
}

it('lets go of what was kept for jobs whose end was written just before a crash', async () => {
  const unpinned: string[] = [];
  await recoverJobs(needs({ lastFinished: async (limit) => ['last', 'before'].slice(0, limit) }, unpinned));
  expect(unpinned).toEqual(['last', 'before']);
});

it('passes over open jobs that cannot be read', async () => {
  const unpinned: string[] = [];
  const openJobs = async () => ['damaged', 'damaged-too'];
  await recoverJobs(needs({ openJobs, lastFinished: async () => ['last'] }, unpinned));
  expect(unpinned).toEqual(['last']);
});
