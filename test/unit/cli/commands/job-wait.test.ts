import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobState } from '../../../../src/domain/job/job.ts';
import { durationText, ageText, costText } from '../../../../src/cli/output/job-text.ts';
import { CREATED_AT, event, execution, jobSnapshot, told } from '../../api/samples.ts';
import { type Desk, openDesk } from '../command-line.ts';

let desk: Desk;

beforeEach(async () => {
  desk = await openDesk();
});

afterEach(() => desk.close());

function is(id: string, state: JobState, exitCode?: number): void {
  const end = {
    finishedAt: CREATED_AT,
    exitReason: 'exit-code',
    exitCode: exitCode ?? 0,
    why: told(''),
  } as const;
  const executions = exitCode === undefined ? [] : [execution({ state: 'Failed', contractId: 'c', end })];
  const { job, ...rest } = jobSnapshot({ state }, executions);
  desk.node.orchestrator.snapshots.set(id, { ...rest, job: { ...job, id } });
}

describe('bidmesh job wait', () => {
  it('waits for the end of each and ends with the first exit code that is not 0', async () => {
    is('job-1', 'Completed');
    is('job-2', 'Running');
    is('job-3', 'Failed', 9);
    const run = desk.run(['job', 'wait', 'job-1', 'job-2', 'job-3']);
    while (desk.node.orchestrator.watchers === 0) await new Promise((resolve) => setImmediate(resolve));
    is('job-2', 'Failed', 7);
    desk.node.orchestrator.commit(event(1, 'job.failed'));
    const { exitCode, stdout, stderr } = await run;
    expect({ exitCode, stderr }).toEqual({ exitCode: 7, stderr: '' });
    expect(stdout).toBe('job-1  Completed  0\njob-2  Failed  7\njob-3  Failed  9\n');
  });

  it('gives a machine each job as it ends', async () => {
    is('job-1', 'Stopped');
    is('job-2', 'Completed');
    const { exitCode, stdout } = await desk.run(['job', 'wait', 'job-2', 'job-1', '--json']);
    expect(exitCode).toBe(1);
    const states = stdout
      .trimEnd()
      .split('\n')
      .map((line) => Object(JSON.parse(line)).state);
    expect(states).toEqual(['Completed', 'Stopped']);
  });

  it('refuses unknown ids before it waits for any', async () => {
    is('job-1', 'Running');
    expect(await desk.run(['job', 'wait', 'nope-nope'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('JOB_NOT_FOUND'),
    });
    expect((await desk.run(['job', 'wait'])).exitCode).toBe(2);
  });

  it('leaves the jobs alone when it is interrupted: 130', async () => {
    is('job-1', 'Running');
    let stop = (): void => {};
    const run = desk.run(['job', 'wait', 'job-1'], {
      stopping: (ask) => {
        stop = ask;
      },
    });
    while (desk.node.orchestrator.watchers === 0) await new Promise((resolve) => setImmediate(resolve));
    stop();
    expect(await run).toMatchObject({ exitCode: 130, stdout: '' });
    expect(desk.node.orchestrator.cancelled).toEqual([]);
  });
});

describe('times and amounts for people', () => {
  it.each([
    [-5000, '0.00s'],
    [Number.NaN, '0.00s'],
    [350, '0.35s'],
    [12_345, '12s'],
    [60_000, '1m'],
    [3_725_000, '1h 2m'],
    [86_400_000 + 5000, '1d'],
    [90_000_000, '1d 1h'],
  ])('%i ms are %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  it('an age is never less than a second, whatever the clocks say', () => {
    expect(ageText('2030-01-01T00:00:00Z', CREATED_AT - 60_000)).toBe('1s');
    expect(ageText('2030-01-01T00:00:00Z', CREATED_AT + 100 * 86_400_000)).toBe('100d');
  });

  it.each([
    [0, '0 USD'],
    [0.00000666, '0.00000666 USD'],
    [0.1, '0.1 USD'],
    [1234.5, '1234.5 USD'],
    [1e-15, '0 USD'],
  ])('%d is %s', (amount, text) => {
    expect(costText(amount, 'USD')).toBe(text);
  });
});
