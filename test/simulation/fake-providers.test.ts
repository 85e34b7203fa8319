import { afterEach, describe, expect, it } from 'vitest';
import { createNotary, identityOf } from '../../src/identity/index.ts';
import { envelopeOf } from '../../src/messages/envelope.ts';
import { encodeFrame } from '../../src/messages/frame.ts';
import { protocolNames } from '../../src/network/names.ts';
import * as sample from '../unit/messages/samples.ts';
import { SimulatedUnderlay } from './simulated-underlay.ts';
import { type Machine, World } from './world.ts';

const NETWORK = 'simulated';
const HOUR_MS = 3_600_000;
const WORK_MS = 200;
const JOB_EVERY_MS = 500;
/** What a job takes here without an attack, with the work. */
const QUIET_MS = 400;
const ROOM = 64 * 2 ** 30;
const ALL_FREE = { cpuMillis: 64_000, memoryBytes: ROOM, diskBytes: ROOM, gpus: [] };

interface Scene {
  readonly world: World;
  readonly requester: Machine;
  readonly provider: Machine;
}

let scene: Scene | undefined;

afterEach(async () => {
  await scene?.world.stop();
  scene = undefined;
});

/** A requester and a provider with a past: jobs were done. */
async function settled(seed: string, providers = 1): Promise<Scene> {
  const world = new World({ seed, workMs: () => WORK_MS, network: { breakDetectionMs: 600_000 } });
  const requester = await world.start('requester', { provides: false });
  const provider = await world.start('provider', { provides: true });
  for (let other = 1; other < providers; other += 1)
    await world.start(`provider ${other}`, { provides: true });
  await world.clock.advanceBy(30_000);
  scene = { world, requester, provider };
  for (let job = 0; job < 3; job += 1) await timeOf(await posted());
  return scene;
}

function playing(): Scene {
  if (scene === undefined) throw new Error('nothing was set up');
  return scene;
}

interface Posted {
  readonly jobId: string;
  readonly atMs: number;
}

async function posted(extra: Readonly<Record<string, unknown>> = {}): Promise<Posted> {
  const { world, requester } = playing();
  const atMs = world.clock.monotonicMs();
  return { jobId: await world.post(requester, extra), atMs };
}

async function timeOf({ jobId, atMs }: Posted, limitMs = 60_000): Promise<number> {
  const { world, requester } = playing();
  const { orchestrator } = world.nodeOf(requester);
  const isDone = async (): Promise<boolean> => (await orchestrator.job(jobId))?.job.state === 'Completed';
  await world.until(isDone, limitMs, 'a job', 20);
  return world.clock.monotonicMs() - atMs;
}

let made = 0;

/** An advert of somebody who does not exist: everything free, and a long life. */
function fakeAdvert(over: Parameters<typeof sample.advert>[0] = {}): Uint8Array {
  const { world } = playing();
  made += 1;
  const identity = identityOf(world.random.fork(`fake ${made}`).bytes(32));
  const notary = createNotary(identity, NETWORK, world.clock);
  const advert = sample.advert({
    onboarded: ALL_FREE,
    free: ALL_FREE,
    price: { amount: '0.0001', currency: 'USD', per: 'hour' },
    validForMs: 24 * HOUR_MS,
    ...over,
  });
  return encodeFrame({ kind: 'advert', body: envelopeOf(notary.sign('advert', advert)) });
}

function hears(machine: Machine, from: string, message: Uint8Array): string | undefined {
  const underlay = machine.life?.simulated.underlay;
  if (!(underlay instanceof SimulatedUnderlay)) throw new Error(`${machine.name} does not run`);
  return underlay.validatorOf(protocolNames(NETWORK).advertsTopic)?.(from, message);
}

/** Posts jobs while `perJob` fakes are heard of before each, and says how long they took. */
async function jobsUnder(
  jobs: number,
  perJob: number,
  fake: (index: number) => { readonly from: string; readonly message: Uint8Array },
  extra: Readonly<Record<string, unknown>> = {},
): Promise<readonly number[]> {
  const { world, requester, provider } = playing();
  const under: Posted[] = [];
  const times: number[] = [];
  for (let job = 0; job < jobs; job += 1) {
    for (let index = 0; index < perJob; index += 1) {
      const { from, message } = fake(job * perJob + index);
      hears(requester, from, message);
      hears(provider, from, message);
    }
    under.push(await posted(extra));
    const newest = under.at(-1);
    if (newest !== undefined) times.push(await timeOf(newest));
    await world.clock.advanceBy(JOB_EVERY_MS);
  }
  return times;
}

const longest = (times: readonly number[]): number => Math.max(...times);

describe('adverts of providers that do not exist', () => {
  it('hold up no job when hundreds come at once, nor after a restart', { timeout: 60_000 }, async () => {
    const { world, requester, provider } = await settled('burst');
    const times = await jobsUnder(12, 60, () => ({ from: 'liar', message: fakeAdvert() }));
    expect(longest(times)).toBeLessThan(2 * QUIET_MS);
    world.crash(requester);
    world.crash(provider);
    await world.boot(provider);
    await world.boot(requester);
    await world.clock.advanceBy(1000);
    expect(await timeOf(await posted())).toBeLessThan(2 * QUIET_MS);
  });

  it('hold up no job when they come from many neighbours', { timeout: 60_000 }, async () => {
    await settled('many');
    const times = await jobsUnder(8, 60, (index) => ({ from: `liar ${index % 40}`, message: fakeAdvert() }));
    expect(longest(times)).toBeLessThan(2 * QUIET_MS);
  });

  it('hold up a few jobs for a moment when they come one by one', { timeout: 60_000 }, async () => {
    await settled('drip');
    const times = await jobsUnder(40, 1, () => ({ from: 'liar', message: fakeAdvert() }));
    expect(times.filter((ms) => ms > 2 * QUIET_MS).length).toBeLessThanOrEqual(3);
    expect(longest(times)).toBeLessThan(1500);
    expect(longest(times.slice(10))).toBeLessThan(2 * QUIET_MS);
  });

  it('take no place of those who are there when the best are asked directly', {
    timeout: 60_000,
  }, async () => {
    await settled('push', 3);
    const times = await jobsUnder(10, 12, () => ({ from: 'liar', message: fakeAdvert() }), {
      orchestrationType: 'push',
    });
    expect(longest(times)).toBeLessThan(1500);
    expect(times.toSorted((a, b) => a - b)[5]).toBeLessThan(2 * QUIET_MS);
  });

  it('hold up no job on a network of some size', { timeout: 60_000 }, async () => {
    await settled('middle', 12);
    const times = await jobsUnder(8, 60, () => ({ from: 'liar', message: fakeAdvert() }));
    expect(longest(times)).toBeLessThan(2 * QUIET_MS);
  });
});

describe('connected peers that say they provide, and never answer', () => {
  it('hold a job up for a moment, and soon not at all', { timeout: 60_000 }, async () => {
    const { world } = await settled('silent');
    const times: number[] = [];
    for (let job = 0; job < 16; job += 1) {
      const { peerId } = identityOf(world.random.fork(`silent ${job}`).bytes(32));
      const silent = world.network.node(peerId);
      silent.underlay.subscribe(protocolNames(NETWORK).requestsTopic, () => 'accept');
      await world.clock.runUntilSettled(silent.underlay.start(), 1000);
      await world.clock.advanceBy(JOB_EVERY_MS);
      times.push(await timeOf(await posted()));
    }
    expect(longest(times)).toBeLessThan(1500);
    expect(longest(times.slice(8))).toBeLessThan(2 * QUIET_MS);
  });
});
