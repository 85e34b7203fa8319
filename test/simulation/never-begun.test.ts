import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Lease } from '../../src/domain/market/lock.ts';
import { type Machine, World } from './world.ts';

/** All that strangers can have of the machine, for as long as terms may ask. */
const GREEDY = {
  /** Nobody else has brought it before. */
  engine: { type: 'wasm', params: { module: { base64: 'AGFzbQEAAAAAAgFh' } } },
  resources: { cpu: '3200m', memory: '64MiB', disk: '1MiB' },
  timeouts: { start: '1h', queue: '1h' },
};
/** Fits into what is left to established requesters. */
const SMALL = { resources: { cpu: '500m', memory: '64MiB', disk: '1MiB' } };
/** Does not fit beside it. */
const OWN = { resources: { cpu: '2', memory: '64MiB', disk: '1MiB' }, timeouts: { queue: '10m' } };

let world: World;
let provider: Machine;
let regular: Machine;
let stranger: Machine;

const leases = (): readonly Lease[] => world.nodeOf(provider).provider?.leases() ?? [];

async function stateOf(machine: Machine, jobId: string): Promise<string | undefined> {
  return (await world.nodeOf(machine).orchestrator.job(jobId))?.job.state;
}

async function untilCompleted(machine: Machine, jobId: string, limitMs: number): Promise<void> {
  const isOver = async (): Promise<boolean> => (await stateOf(machine, jobId)) === 'Completed';
  await world.until(isOver, limitMs, `a job of ${machine.name} is Completed`);
}

/** The stranger closes a contract for most of the machine and is gone before anything of its program is fetched. */
async function takeAndVanish(): Promise<string> {
  const jobId = await world.post(stranger, GREEDY);
  const isCommitted = async (): Promise<boolean> => leases().some(({ state }) => state === 'committed');
  await world.until(isCommitted, 10_000, 'the contract is closed', 1);
  world.crash(stranger);
  return jobId;
}

beforeEach(async () => {
  world = new World({ seed: 'never begun' });
  provider = await world.start('provider', { provides: true });
  regular = await world.start('established', { provides: false });
  stranger = await world.start('stranger', { provides: false });
  await world.clock.advanceBy(500);
  await untilCompleted(regular, await world.post(regular, OWN), 10_000);
  // Its provider hears that the result was taken, and writes that down.
  await world.clock.advanceBy(5000);
});

afterEach(() => world.stop());

describe('a contract that never begins', () => {
  it('holds the machine no longer than its requester can be reached: the next job has it within seconds', async () => {
    await takeAndVanish();
    const jobId = await world.post(regular, OWN);
    await untilCompleted(regular, jobId, 30_000);
    expect(leases()).toEqual([]);
  });

  it('leaves a share to regulars meanwhile: a job that fits in there has it at once', async () => {
    await takeAndVanish();
    const jobId = await world.post(regular, SMALL);
    await untilCompleted(regular, jobId, 2000);
    expect(leases()).toHaveLength(1);
  });

  it('begins where its requester is back in time, and nothing was lost', async () => {
    const jobId = await takeAndVanish();
    await world.clock.advanceBy(12_000);
    await world.boot(stranger);
    await untilCompleted(stranger, jobId, 30_000);
    const snapshot = await world.nodeOf(stranger).orchestrator.job(jobId);
    expect(snapshot?.executions).toHaveLength(1);
  });

  it('is placed anew where its requester is back later, by what the provider says', async () => {
    const jobId = await takeAndVanish();
    await world.clock.advanceBy(600_000);
    await world.boot(stranger);
    await untilCompleted(stranger, jobId, 60_000);
    const snapshot = await world.nodeOf(stranger).orchestrator.job(jobId);
    expect(snapshot?.executions.map(({ observed }) => observed.state)).toEqual(['Failed', 'Completed']);
    expect(snapshot?.executions[0]?.observed).toMatchObject({ end: { exitReason: 'requester-away' } });
    expect([...world.record.starts.values()]).toEqual([1, 1]);
  });
});

const GREEDIER = { resources: { ...GREEDY.resources, cpu: '3900m' }, timeouts: { queue: '0s' } };

describe('a share for regulars', () => {
  it('is kept from strangers, who are told how much is left to them', async () => {
    const jobId = await world.post(stranger, GREEDIER);
    await world.until(
      async () => (await stateOf(stranger, jobId)) === 'Failed',
      30_000,
      'the job has failed',
    );
    const explanation = await world.nodeOf(stranger).orchestrator.explain(jobId);
    expect(explanation?.declines).toContainEqual({ code: 'KEPT_SHARE', field: 'cpu', count: 1 });
    expect(explanation?.nearest).toMatchObject({ field: 'cpu', required: '3900m', available: '3200m' });
    expect(explanation?.suggestions.map(({ code }) => code)).toContain('be-known-first');
  });

  it('is kept while there is somebody to keep it for, over a restart, and no longer', async () => {
    world.crash(provider);
    await world.boot(provider);
    await world.clock.advanceBy(5000);
    const early = await world.post(stranger, GREEDIER);
    await world.until(async () => (await stateOf(stranger, early)) === 'Failed', 30_000, 'it has failed');
    const { declines } = await world.nodeOf(stranger).orchestrator.explain(early);
    expect(declines).toMatchObject([{ code: 'KEPT_SHARE' }]);
    await world.clock.advanceBy(3_600_000);
    await untilCompleted(stranger, await world.post(stranger, GREEDIER), 10_000);
  });

  it('is nobody’s where nobody was served yet: a newcomer has the whole machine', async () => {
    const idle = await world.start('idle', { provides: true });
    world.crash(provider);
    const newcomer = await world.start('newcomer', { provides: false });
    await world.clock.advanceBy(2000);
    const jobId = await world.post(newcomer, { resources: { ...GREEDY.resources, cpu: '4' } });
    await untilCompleted(newcomer, jobId, 10_000);
    expect(world.nodeOf(idle).provider?.leases()).toEqual([]);
    await world.boot(provider);
  });
});
