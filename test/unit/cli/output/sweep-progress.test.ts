import { describe, expect, it } from 'vitest';
import { Output } from '../../../../src/cli/output/output.ts';
import { SweepProgress } from '../../../../src/cli/output/sweep-progress.ts';
import type { JobEvent } from '../../../../src/client/index.ts';
import { SweepCounts } from '../../../../src/cli/sweep-counts.ts';
import { ManualClock } from '../../store/clocks.ts';

const PARTITIONS = 20;

function happened(type: string, partition?: number, attempt = 1, message?: string): JobEvent {
  return {
    seq: 1,
    at: '2030-01-01T00:00:00Z',
    type,
    provider: '12D3KooWsomewhere',
    ...(partition === undefined ? {} : { partition, executionId: `j.v1.p${partition}r0.a${attempt}` }),
    ...(message === undefined ? {} : { message }),
  };
}

const each = (type: string, from: number, to: number): JobEvent[] =>
  Array.from({ length: to - from }, (_, at) => happened(type, from + at));

/** Twelve run at first, seven of them end well, one is lost and tried again. */
const STORY: readonly JobEvent[] = [
  happened('job.posted'),
  happened('search.opened'),
  ...Array.from({ length: 40 }, () => happened('bid.received')),
  ...each('contract.accepted', 0, 12),
  ...each('execution.started', 0, 12),
  ...each('execution.publishing', 0, 7),
  ...each('execution.completed', 0, 7),
  happened('execution.lost', 7, 1, 'it went\naway'),
  happened('contract.accepted', 7, 2),
];

describe('where the partitions of a sweep are', () => {
  it('adds up to their number at every step', () => {
    const counts = new SweepCounts(PARTITIONS);
    for (const event of STORY) {
      counts.apply(event);
      expect(counts.places().reduce((sum, [, count]) => sum + count, 0)).toBe(PARTITIONS);
    }
    expect(counts.places()).toEqual([
      ['waiting', 8],
      ['starting', 1],
      ['running', 4],
      ['completed', 7],
    ]);
    expect(counts.failedAttempts).toBe(1);
    counts.apply(happened('execution.failed', 8));
    counts.apply(happened('execution.cancelled', 9));
    counts.apply(happened('job.failed'));
    expect(counts.places()).toEqual([
      ['completed', 7],
      ['failed', 1],
      ['unfinished', 12],
    ]);
  });

  it('goes by the newest attempt of each', () => {
    const counts = new SweepCounts(1);
    counts.apply(happened('execution.started', 0, 2));
    counts.apply(happened('execution.lost', 0, 1));
    expect(counts.places()).toEqual([['running', 1]]);
    counts.apply(happened('execution.completed', 0, 2));
    counts.apply(happened('execution.cancelled', 0, 3));
    expect(counts.places()).toEqual([['completed', 1]]);
  });
});

function shown(isTTY: boolean, columns = 80) {
  const clock = new ManualClock();
  const writes: string[] = [];
  const stream = {
    isTTY,
    columns: () => columns,
    write: async (chunk: string | Uint8Array) => {
      writes.push(String(chunk));
    },
  };
  const output = new Output({ stdout: stream, stderr: stream, env: { NO_COLOR: '1' } }, false);
  return { clock, writes, progress: new SweepProgress(output, clock, PARTITIONS) };
}

const ESCAPE = '\u001b[';

/** What is on a terminal after all that was written; each write may begin by going back over lines. */
function screenOf(writes: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const write of writes) {
    const parts = write.split(ESCAPE);
    const up = parts.length > 1 ? Number.parseInt(parts[1] ?? '', 10) : 0;
    lines.splice(lines.length - up, up);
    const text = (parts.at(-1) ?? '').replace(/^J/, '');
    lines.push(...text.split('\n').slice(0, -1));
  }
  return lines;
}

describe('a sweep on a terminal', () => {
  it('is one line per state, in place', async () => {
    const { clock, writes, progress } = shown(true);
    for (const event of STORY) await progress.event(event);
    await clock.advance(100);
    expect(screenOf(writes).map((line) => line.replace(/^[^✔✖] /, '* '))).toEqual([
      '* waiting     8 of 20',
      '* starting    1 of 20',
      '* running     4 of 20',
      '✔ completed   7 of 20',
      '✖ 1 attempt failed, the last on …omewhere: it went␊away',
    ]);
    for (const event of each('execution.completed', 7, 20)) {
      await progress.event({ ...event, executionId: `j.v1.p${event.partition}r0.a2` });
    }
    await progress.event(happened('job.completed'));
    await progress.pause();
    expect(screenOf(writes)[0]).toBe('✔ completed   20 of 20');
    expect(screenOf(writes)).toHaveLength(2);
  });

  it('has no line that is wider than the screen', async () => {
    const { clock, writes, progress } = shown(true, 30);
    await progress.event(happened('job.queued', undefined, 1, 'x'.repeat(200)));
    await clock.advance(100);
    expect(Math.max(...screenOf(writes).map((line) => line.length))).toBeLessThan(30);
    expect(screenOf(writes)).toHaveLength(1);
  });

  it('says with a cross why the job failed', async () => {
    const { writes, progress } = shown(true);
    await progress.event(happened('job.failed', undefined, 1, 'nobody has room'));
    await progress.pause();
    expect(screenOf(writes)).toEqual(['✖ unfinished  20 of 20', '✖ failed: nobody has room']);
  });
});

describe('a sweep in a pipe', () => {
  it('is a line when something changed, and not one for each event', async () => {
    const { clock, writes, progress } = shown(false);
    for (const event of STORY) await progress.event(event);
    expect(writes).toEqual(['0 of 20 completed, 20 waiting\n']);
    await clock.advance(60_000);
    expect(writes.slice(1)).toEqual([
      '7 of 20 completed, 8 waiting, 1 starting, 4 running; 1 attempt failed, the last on …omewhere: it went␊away\n',
    ]);
    await progress.event(happened('job.stopped', undefined, 1, 'as asked'));
    await progress.pause();
    expect(writes.slice(2)).toEqual([
      expect.stringMatching(/^7 of 20 completed, 13 unfinished; 1 attempt/),
      'stopped: as asked\n',
    ]);
    expect(writes.join('')).not.toContain('\u001b');
  });
});
