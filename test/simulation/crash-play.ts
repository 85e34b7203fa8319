import { isDeepStrictEqual } from 'node:util';
import type { ContractRecord } from '../../src/domain/market/contract.ts';
import type { Execution } from '../../src/domain/market/execution.ts';
import type { JobEvent } from '../../src/domain/job/job-event.ts';
import type { Job } from '../../src/domain/job/job.ts';
import type { Stage, Story } from './crash-stories.ts';
import { type Machine, World } from './world.ts';

/** Enough for a requester that was down shortly to see the work begin and end. */
const WORK_MS = 5000;
const OVER_WITHIN_MS = 600_000;
/** For what comes late. */
const QUIET_AFTER_MS = 10_000;
/** Longer than any lease that nobody uses. */
const FREE_WITHIN_MS = 120_000;

export interface CrashPlan {
  /** In each life in turn: after which batch of the job's events the requester is killed, 0 being the post. */
  readonly afterBatch: readonly number[];
  /** How long after it: enough for the next batch to be half written, or for a message to be on its way. */
  readonly lateMs?: number;
  readonly downMs: number;
}

export interface Played {
  readonly world: World;
  readonly job: Job;
  readonly executions: readonly Execution[];
  readonly contracts: readonly ContractRecord[];
  /** What became durable in the first life, after the post. */
  readonly batches: readonly (readonly JobEvent[])[];
  readonly events: readonly JobEvent[];
  /** Executions that an incident has hit. */
  readonly doomed: ReadonlySet<string>;
}

/** Plays a story to its end, with the requester killed as planned the moment a batch is durable. */
export async function play(story: Story, plan?: CrashPlan): Promise<Played> {
  return await new Play(story, plan).toItsEnd();
}

class Play {
  readonly #story: Story;
  readonly #plan: CrashPlan;
  readonly #world: World;
  readonly #batches: (readonly JobEvent[])[] = [];
  readonly #happened = new Set<number>();
  readonly #doomed = new Set<string>();
  #life = 0;
  #batch = 0;

  constructor(story: Story, plan: CrashPlan = { afterBatch: [], downMs: 0 }) {
    this.#story = story;
    this.#plan = plan;
    const { exitReason } = story;
    this.#world = new World({
      seed: 'crash',
      workMs: () => WORK_MS,
      lockOnBid: story.lockOnBid ?? false,
      network: story.network ?? {},
      ...(exitReason === undefined ? {} : { exitReason: () => exitReason(this.#world.record.starts.size) }),
    });
  }

  async toItsEnd(): Promise<Played> {
    const world = this.#world;
    const requester = await world.start('requester', { provides: false });
    const providers: Machine[] = [];
    for (let number = 1; number <= (this.#story.providers ?? 2); number += 1) {
      providers.push(await world.start(`provider-${number}`, { provides: true }));
    }
    await world.clock.advanceBy(500);
    await this.#story.before?.(world);

    const jobId = await this.#post(requester, providers);
    const stage = { world, requester, providers, jobId };
    await this.#untilOver(stage);
    for (const machine of world.machines.values()) {
      if (machine.life === undefined) await world.boot(machine);
    }
    await world.clock.advanceBy(QUIET_AFTER_MS);
    // What is kept of an attempt is written after the job is over, and may be where it is killed.
    if (requester.life === undefined) {
      await world.clock.advanceBy(this.#plan.downMs);
      await this.#again(stage);
      await world.clock.advanceBy(QUIET_AFTER_MS);
    }
    await world.until(async () => isAllFree(world), FREE_WITHIN_MS, 'all capacity is free', 1000);
    return await this.#played(stage);
  }

  async #post(requester: Machine, providers: readonly Machine[]): Promise<string> {
    const world = this.#world;
    const { orchestrator } = world.nodeOf(requester);
    const jobId = await world.post(requester, this.#story.job, (posted) => {
      const stage = { world, requester, providers, jobId: posted };
      orchestrator.watch(posted, (events) => this.#durable(stage, events));
      this.#countBatch(stage);
    });
    return jobId;
  }

  #durable(stage: Stage, events: readonly JobEvent[]): void {
    if (this.#life === 0) this.#batches.push(events);
    for (const [index, incident] of (this.#story.incidents ?? []).entries()) {
      const event = events.find(({ type }) => type === incident.at);
      if (event === undefined || this.#happened.has(index)) continue;
      this.#happened.add(index);
      if (incident.dooms === true && event.executionId !== undefined) this.#doomed.add(event.executionId);
      incident.happen(stage, event);
    }
    this.#countBatch(stage);
  }

  #countBatch({ world, requester }: Stage): void {
    if (requester.life === undefined) return;
    if (this.#batch === this.#plan.afterBatch[this.#life]) this.#crash(world, requester);
    this.#batch += 1;
  }

  #crash(world: World, requester: Machine): void {
    const { lateMs } = this.#plan;
    const { life } = requester;
    if (lateMs === undefined) world.crash(requester);
    else world.clock.after(lateMs, () => (requester.life === life ? world.crash(requester) : undefined));
  }

  /** Starts the requester again whenever it is down. */
  async #untilOver(stage: Stage): Promise<void> {
    const { world, requester, jobId } = stage;
    const over = async (): Promise<boolean> => {
      if (requester.life === undefined) return true;
      return (await world.nodeOf(requester).orchestrator.job(jobId))?.job.state === this.#story.end;
    };
    for (;;) {
      await world.until(over, OVER_WITHIN_MS, `the job is ${this.#story.end}`);
      await world.clock.advanceBy(this.#plan.lateMs ?? 0);
      if (requester.life !== undefined) return;
      await world.clock.advanceBy(this.#plan.downMs);
      await this.#again(stage);
    }
  }

  async #again(stage: Stage): Promise<void> {
    const { world, requester, jobId } = stage;
    this.#life += 1;
    this.#batch = 1;
    const { orchestrator } = await world.boot(requester);
    orchestrator.watch(jobId, (events) => this.#durable(stage, events));
    // A user whose word was lost says it again.
    if (this.#story.cancelled === true && this.#happened.size > 0) {
      void orchestrator.cancelJob(jobId).catch(() => {});
    }
  }

  async #played({ world, requester, jobId }: Stage): Promise<Played> {
    const { orchestrator } = world.nodeOf(requester);
    const read = Promise.all([
      orchestrator.job(jobId),
      orchestrator.contracts(jobId),
      orchestrator.events(jobId, 0, 1000),
    ]);
    const [snapshot, contracts, events] = await world.clock.runUntilSettled(read, 1000);
    if (snapshot === undefined) throw new Error('the job is gone');
    const { job, executions } = snapshot;
    await world.stop();
    return { world, job, executions, contracts, batches: this.#batches, events, doomed: this.#doomed };
  }
}

function isAllFree(world: World): boolean {
  return [...world.machines.values()].every((machine) => {
    const { provider } = world.nodeOf(machine);
    return (
      provider === undefined ||
      (provider.leases().length === 0 && isDeepStrictEqual(provider.pools().free, provider.pools().onboarded))
    );
  });
}
