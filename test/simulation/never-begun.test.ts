import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Lease } from '../../src/domain/lock.ts';
import { type Machine, World } from './world.ts';

/** Most of the machine, for as long as terms may ask. */
const GREEDY = {
  /** Nobody else has brought it before. */
  engine: { type: 'wasm', params: { module: { base64: 'AGFzbQEAAAAAAgFh' } } },
  resources: { cpu: '3900m', memory: '64MiB', disk: '1MiB' },
  timeouts: { start: '1h', queue: '1h' },
};
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
  regular = await world.start('regular', { provides: false });
  stranger = await world.start('stranger', { provides: false });
  await world.clock.advanceBy(500);
  await untilCompleted(regular, await world.post(regular, OWN), 10_000);
});

afterEach(() => world.stop());

describe('a contract that never begins', () => {
  it('holds the machine no longer than its requester can be reached: the next job has it within seconds', async () => {
    await takeAndVanish();
    const jobId = await world.post(regular, OWN);
    await untilCompleted(regular, jobId, 30_000);
    expect(leases()).toEqual([]);
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
