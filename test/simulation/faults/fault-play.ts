import { codeOf } from '../../../src/lib/coded-error.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { type Machine, World } from '../world.ts';
import { everyFault } from './every-fault.ts';
import type { FaultScene } from './fault.ts';

const JOBS = 3;
const STEPS = 40;
const LONGEST_STEP_MS = 600;
const OVER_WITHIN_MS = 600_000;
/** Longer than any lease that nobody uses, and than what a provider waits before it asks again. */
const QUIET_MS = 180_000;

const NO_ROOM: ReadonlySet<string | undefined> = new Set(['DISK_FULL', 'QUOTA_EXCEEDED']);

interface Pending {
  readonly atMs: number;
  readonly act: () => Promise<void> | void;
}

/** A play of one seed: a requester, two providers, three jobs, lost and repeated gossip, and every fault there is. */
export class FaultPlay {
  readonly world: World;
  readonly jobs: string[] = [];
  readonly #seed: string;
  readonly #chance: SeededRandom;
  readonly #pending: Pending[] = [];

  constructor(seed: string) {
    this.#seed = seed;
    this.world = new World({
      seed,
      network: { gossipLoss: 0.1, gossipRepeat: 0.2, gossipJitterMs: 50, channelBreak: 0.01 },
      workMs: () => 800,
      lockOnBid: Number(seed) % 5 === 0,
    });
    this.#chance = this.world.random.fork('faults');
  }

  /** Plays until every job has completed and all is quiet; gives the requester. */
  async toItsEnd(): Promise<Machine> {
    const { world } = this;
    const requester = await world.start('requester', { provides: this.#chance.chance(0.5) });
    const providers = [
      await world.start('provider-1', { provides: true }),
      await world.start('provider-2', { provides: true }),
    ];
    await world.clock.advanceBy(500);
    const scenes = everyFault.map((fault) => ({
      fault,
      scene: this.#scene(fault.name, requester, providers),
      times: 0,
    }));
    for (let step = 0; step < STEPS; step += 1) {
      await world.clock.advanceBy(this.#chance.fraction() * LONGEST_STEP_MS);
      await this.#doPending(world.clock.monotonicMs());
      await this.#perhapsPost(requester);
      for (const entry of scenes) {
        const { fault, scene } = entry;
        if (entry.times === fault.mostTimes || !scene.chance.chance(fault.chance)) continue;
        entry.times += 1;
        await fault.strike(scene);
      }
    }
    for (let next = this.#pending[0]; next !== undefined; next = this.#pending[0]) {
      await world.clock.advanceTo(Math.max(next.atMs, world.clock.monotonicMs()));
      await this.#doPending(world.clock.monotonicMs());
    }
    for (const { fault, scene } of scenes) await fault.end?.(scene);
    await this.#allCompleted(requester);
    await world.clock.advanceBy(QUIET_MS);
    return requester;
  }

  #scene(fault: string, requester: Machine, providers: readonly Machine[]): FaultScene {
    return {
      world: this.world,
      chance: this.#chance.fork(fault),
      requester,
      providers,
      machines: [requester, ...providers],
      later: (delayMs, act) => {
        this.#pending.push({ atMs: this.world.clock.monotonicMs() + delayMs, act });
        this.#pending.sort((a, b) => a.atMs - b.atMs);
      },
    };
  }

  async #doPending(untilMs: number): Promise<void> {
    for (let next = this.#pending[0]; next !== undefined && next.atMs <= untilMs; next = this.#pending[0]) {
      this.#pending.shift();
      await next.act();
    }
  }

  async #perhapsPost(requester: Machine): Promise<void> {
    if (this.jobs.length === JOBS || requester.life === undefined || !this.#chance.chance(0.3)) return;
    try {
      this.jobs.push(
        await this.world.post(requester, {
          count: Number(this.#seed) % 3 === 0 ? 4 : 1,
          retry: { attempts: 20, on: ['lost', 'internal'] },
          timeouts: { queue: '10m', total: '1h' },
        }),
      );
    } catch (error) {
      // A node without room takes no job, and says so before it has promised anything.
      if (!NO_ROOM.has(codeOf(error))) throw error;
    }
  }

  async #allCompleted(requester: Machine): Promise<void> {
    const { orchestrator } = this.world.nodeOf(requester);
    for (const jobId of this.jobs) {
      await this.world.until(
        async () => (await orchestrator.job(jobId))?.job.state === 'Completed',
        OVER_WITHIN_MS,
        `job ${jobId} of seed ${this.#seed}`,
        1000,
      );
    }
  }
}
