import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { engineOf, jobAround } from '../../src/cli/program-job.ts';
import { engineOfBytes } from '../../src/cli/standard-input.ts';
import { jobDescription } from '../../src/domain/job/job-description.ts';
import { finishTapes, tapeStarts } from '../fixtures/added-engine/driver.ts';
import { type Machine, World } from './world.ts';

/** One line in each of the two lists: that is all there is to adding an engine, beside its two folders. */
vi.mock(import('../../src/engines/index.ts'), async (original) => {
  const { tape } = await import('../fixtures/added-engine/engine.ts');
  return { engines: [...(await original()).engines, tape] };
});
/** The others have children, which a simulated machine has not. */
vi.mock(import('../../src/provider/engines/index.ts'), async () => {
  const { createTapeDriver } = await import('../fixtures/added-engine/driver.ts');
  return { driversOfNode: [createTapeDriver] };
});

const PARAMS = { reel: { text: 'lorem ipsum' }, times: 2, args: ['plays'] };

describe('an engine that is added', () => {
  let world: World;
  let requester: Machine;
  let provider: Machine;

  beforeEach(async () => {
    world = new World({ seed: 1, drivers: 'of the list' });
    requester = await world.start('requester', { provides: false });
    provider = await world.start('provider', { provides: true });
    await world.clock.advanceBy(1000);
  });

  afterEach(() => world.stop());

  const post = (params: Readonly<Record<string, unknown>>): Promise<string> =>
    world.post(requester, {
      engine: { type: 'tape', params: { ...PARAMS, ...params } },
      timeouts: { queue: '10m' },
    });

  const untilState = async (jobId: string, state: string): Promise<void> => {
    const { orchestrator } = world.nodeOf(requester);
    const isThere = async (): Promise<boolean> => (await orchestrator.job(jobId))?.job.state === state;
    await world.until(isThere, 60_000, `the job is ${state}`);
  };

  const printed = async (jobId: string): Promise<string> => {
    const { orchestrator, content } = world.nodeOf(requester);
    const known = await world.clock.runUntilSettled(orchestrator.job(jobId), 1000);
    const [execution] = known?.executions ?? [];
    const { observed } = execution ?? {};
    if (observed?.state !== 'Completed') throw new Error(`no result: ${observed?.state}`);
    const stdout = await content.open(observed.resultCid, 'stdout');
    let text = '';
    for await (const chunk of stdout?.bytes ?? []) text += new TextDecoder().decode(chunk);
    return text;
  };

  it('runs a job of one node on another', async () => {
    const jobId = await post({});
    await untilState(jobId, 'Completed');
    expect(await printed(jobId)).toBe('reel plays reel plays');
  });

  it('goes on while its node is away, and its result is that of the one run', async () => {
    tapeStarts.clear();
    const jobId = await post({ side: 'lasts' });
    await untilState(jobId, 'Running');
    await world.clock.advanceBy(1000);
    world.crash(provider);
    await world.boot(provider);
    await world.clock.advanceBy(1000);
    await finishTapes();
    await untilState(jobId, 'Completed');
    expect(await printed(jobId)).toContain('the end');
    expect([...tapeStarts.values()]).toEqual([1]);
  });

  it.each([5, 20, 40, 60, 80, 100, 150, 200, 400, 800])(
    'begins no run twice, though its node is killed %i ms after the post',
    async (afterMs) => {
      tapeStarts.clear();
      const jobId = await post({ side: 'lasts' });
      await world.clock.advanceBy(afterMs);
      world.crash(provider);
      await world.boot(provider);
      const { orchestrator } = world.nodeOf(requester);
      const isCompleted = async (): Promise<boolean> => {
        await finishTapes();
        return (await orchestrator.job(jobId))?.job.state === 'Completed';
      };
      await world.until(isCompleted, 120_000, 'the job', 1000);
      expect([...tapeStarts.values()].every((starts) => starts === 1)).toBe(true);
      expect(tapeStarts.size).toBeGreaterThan(0);
    },
  );

  it('has the params that it says, in a job and in a command', () => {
    const parse = (params: object) =>
      jobDescription.safeParse({ engine: { type: 'tape', params: { ...PARAMS, ...params } } });
    expect(parse({}).data?.engine.params).toMatchObject({ times: 2, side: 'ends' });
    expect(parse({ times: 10 }).error?.issues[0]?.path).toEqual(['engine', 'params', 'times']);
    expect(parse({ module: { text: '' } }).success).toBe(false);
    const inputs = [{ target: '/deck/a', source: { text: '' } }];
    const reserved = jobDescription.safeParse({ engine: { type: 'tape', params: PARAMS }, inputs });
    expect(reserved.error?.issues[0]?.message).toContain('/deck holds the reel');

    expect(engineOf('side-a.tape')).toBe('tape');
    expect(engineOfBytes(new TextEncoder().encode('TAPE1'))).toBe('tape');
    const typed = { engine: 'tape', source: 'side-a.tape', name: 'a', args: [], providers: [] };
    expect(jobAround(typed, {})['engine']).toMatchObject({ type: 'tape', params: { reel: 'side-a.tape' } });
  });
});
