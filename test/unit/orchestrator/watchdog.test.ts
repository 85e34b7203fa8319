import { beforeEach, describe, expect, it } from 'vitest';
import type { Execution } from '../../../src/domain/market/execution.ts';
import type { Job } from '../../../src/domain/job/job.ts';
import { OVERDUE_SLACK_MS } from '../../../src/orchestrator/schedulers/deadlines.ts';
import { Liveness } from '../../../src/orchestrator/serving/liveness.ts';
import { Watchdog } from '../../../src/orchestrator/watchdog.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';
import { executionOf, jobOf, observedAs } from '../fakes/market.ts';

const PERIOD_MS = 500;
const LOST_AFTER_MS = 5000;

let clock: FakeClock;
let liveness: Liveness;
let evaluated: string[];
let over: string[];
let looks: number;
let watchdog: Watchdog;
let job: Job;

beforeEach(() => {
  clock = new FakeClock();
  liveness = new Liveness(clock);
  evaluated = [];
  over = [];
  looks = 0;
  job = jobOf({ state: 'Running', createdAt: clock.nowMs() });
  watchdog = new Watchdog(
    { periodMs: PERIOD_MS, lostAfterMs: LOST_AFTER_MS },
    {
      clock,
      liveness,
      evaluate: (which, trigger) => evaluated.push(`${which.id} ${trigger}`),
      onOver: (executionId) => over.push(executionId),
      onLook: [
        () => {
          looks += 1;
        },
      ],
    },
  );
  watchdog.start();
});

const running = (changes: Partial<Execution> = {}): Execution =>
  executionOf(0, 1, 'a', observedAs.running(), {
    createdAt: clock.nowMs(),
    lastSeenAt: clock.nowMs(),
    ...changes,
  });

describe('the watchdog', () => {
  it('has a silent provider looked at, and one that is heard of left alone', async () => {
    watchdog.watch({ job, executions: [running()], revision: 1 });
    await clock.advanceBy(LOST_AFTER_MS);
    expect(evaluated).toEqual([]);
    await clock.advanceBy(PERIOD_MS);
    expect(evaluated).toEqual(['job exec-timeout']);
    liveness.seen('job.v1.p0r0.a1');
    await clock.advanceBy(LOST_AFTER_MS);
    expect(evaluated).toHaveLength(1);
  });

  it('looks at a job that is past its total time until it is over', async () => {
    watchdog.watch({ job, executions: [], revision: 1 });
    await clock.advanceBy(job.spec.timeouts.totalMs - 1);
    expect(evaluated).toEqual([]);
    await clock.advanceBy(PERIOD_MS + 1);
    expect(new Set(evaluated)).toEqual(new Set(['job job-timeout']));
    evaluated.length = 0;
    watchdog.watch({ job: { ...job, state: 'Failed' }, executions: [], revision: 2 });
    await clock.advanceBy(10 * PERIOD_MS);
    expect(evaluated).toEqual([]);
  });

  it('looks at work that is long overdue, though its provider is heard of', async () => {
    watchdog.watch({ job, executions: [running()], revision: 1 });
    const { lockMs, contractMs, startMs, executionMs } = job.spec.timeouts;
    const overdueMs = lockMs + contractMs + startMs + executionMs + OVERDUE_SLACK_MS;
    for (let ms = 0; ms < overdueMs; ms += 1000) {
      expect(evaluated).toEqual([]);
      liveness.seen('job.v1.p0r0.a1');
      await clock.advanceBy(1000);
    }
    expect(evaluated.length).toBeGreaterThan(0);
  });

  it('counts open jobs, and says which executions are under contract no more', () => {
    watchdog.watch({
      job,
      executions: [running(), executionOf(1, 1, 'b', observedAs.asking())],
      revision: 1,
    });
    expect(watchdog.openJobs).toBe(1);
    const completed = executionOf(0, 1, 'a', observedAs.completed());
    watchdog.watch({ job, executions: [completed], revision: 2 });
    expect(over).toEqual(['job.v1.p0r0.a1']);
    watchdog.watch({ job: { ...job, state: 'Completed' }, executions: [completed], revision: 3 });
    expect(watchdog.openJobs).toBe(0);
  });

  it('ignores a state that is older than the one it has', () => {
    watchdog.watch({ job, executions: [running()], revision: 5 });
    watchdog.watch({ job: { ...job, state: 'Completed' }, executions: [], revision: 4 });
    expect(watchdog.openJobs).toBe(1);
    expect(over).toEqual([]);
  });

  it('tells of each look, and of none after stop', async () => {
    await clock.advanceBy(3 * PERIOD_MS);
    expect(looks).toBe(3);
    watchdog.stop();
    await clock.advanceBy(3 * PERIOD_MS);
    expect(looks).toBe(3);
  });
});
