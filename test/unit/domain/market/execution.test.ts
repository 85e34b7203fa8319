import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { executionIdOf, partitionOf } from '../../../../src/domain/market/execution.ts';

describe('the id of an execution', () => {
  it('names the slot that the execution fills', () => {
    expect(executionIdOf('job', 2, { partition: 7, replica: 0 }, 3)).toBe('job.v2.p7r0.a3');
    expect(executionIdOf('job', 2, { partition: 7, replica: 1 }, 3)).toBe('job.v2.p7r1.a3');
  });

  test.prop([fc.nat(9999), fc.nat(9), fc.integer({ min: 1, max: 99 })])(
    'tells its partition',
    (partition, replica, attempt) => {
      expect(partitionOf(executionIdOf('job', 1, { partition, replica }, attempt))).toBe(partition);
    },
  );

  it.each([
    ['of version 0.1.0', 'job.v1.p3.a1', 3],
    ['of something else', 'bid-7', undefined],
    ['of no partition', 'job.v1.pr0.a1', undefined],
  ])('%s', (_, id, partition) => {
    expect(partitionOf(id)).toBe(partition);
  });
});
