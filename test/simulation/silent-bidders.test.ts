import { jobSentence } from '../../src/words/job-words.ts';
import { afterEach, expect, it } from 'vitest';
import { SimulatedUnderlay } from './simulated-underlay.ts';
import { type Machine, World } from './world.ts';

const WORK_MS = 200;
const QUIET_MS = 400;
const JOB_EVERY_MS = 500;

let world: World;

afterEach(() => world.stop());

/** Bids as any other, and hears nothing of what is asked after that. */
async function startSilent(name: string): Promise<Machine> {
  const machine = await world.start(name, { provides: true });
  const underlay = machine.life?.simulated.underlay;
  if (!(underlay instanceof SimulatedUnderlay)) throw new Error(`${name} does not run`);
  const open = underlay.open.bind(underlay);
  underlay.open = async (...asked) => {
    const channel = await open(...asked);
    return {
      peer: channel.peer,
      send: (frame) => channel.send(frame),
      receive: async () => {
        await channel.ended;
        return undefined;
      },
      close: () => channel.close(),
      abort: () => channel.abort(),
      ended: channel.ended,
    };
  };
  return machine;
}

async function timeOfJob(requester: Machine): Promise<number> {
  const beganMs = world.clock.monotonicMs();
  const jobId = await world.post(requester);
  const { orchestrator } = world.nodeOf(requester);
  const isDone = async (): Promise<boolean> => (await orchestrator.job(jobId))?.job.state === 'Completed';
  await world.until(isDone, 60_000, 'a job', 20);
  return world.clock.monotonicMs() - beganMs;
}

it('who bids and then says nothing holds up a few jobs, and each of them once', async () => {
  world = new World({ seed: 'silent bidders', workMs: () => WORK_MS });
  const requester = await world.start('requester', { provides: false });
  await world.start('provider', { provides: true });
  await world.clock.advanceBy(20_000);
  for (let job = 0; job < 3; job += 1) await timeOfJob(requester);
  const times: number[] = [];
  for (let job = 0; job < 16; job += 1) {
    // A new name for each job, as names cost nothing.
    if (job < 12) await startSilent(`silent ${job}`);
    await world.clock.advanceBy(JOB_EVERY_MS);
    times.push(await timeOfJob(requester));
  }
  expect(Math.max(...times)).toBeLessThan(QUIET_MS + 2000);
  expect(times.filter((ms) => ms > 2 * QUIET_MS).length).toBeLessThanOrEqual(4);
  expect(Math.max(...times.slice(8))).toBeLessThan(2 * QUIET_MS);
});

it('one that is alone is not asked again at once, and the job says why it waits', async () => {
  world = new World({ seed: 'one silent bidder', workMs: () => WORK_MS });
  const requester = await world.start('requester', { provides: false });
  await startSilent('silent');
  await world.clock.advanceBy(20_000);
  const jobId = await world.post(requester);
  const { orchestrator } = world.nodeOf(requester);
  const timeouts = async (): Promise<number> => {
    const events = await world.clock.runUntilSettled(orchestrator.events(jobId, 0, 1000), 1000);
    return events.filter(({ type }) => type === 'lock.timeout').length;
  };
  await world.clock.advanceBy(14_000);
  expect(await timeouts()).toBe(1);
  const waiting = await world.clock.runUntilSettled(orchestrator.job(jobId), 1000);
  expect(waiting?.job).toMatchObject({ state: 'Queued' });
  const why = waiting?.job.why;
  expect(why && jobSentence(why)).toContain('NEGOTIATION_TIMEOUT');
  await world.clock.advanceBy(60_000);
  expect(await timeouts()).toBeLessThanOrEqual(3);
  await world.start('provider', { provides: true });
  const isDone = async (): Promise<boolean> => (await orchestrator.job(jobId))?.job.state === 'Completed';
  await world.until(isDone, 40_000, 'the job');
});
