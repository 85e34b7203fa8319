import { setTimeout as wait } from 'node:timers/promises';
import { percentile } from '../bench/figure.ts';
import type { StallReading } from '../bench/stall-watch.ts';
import type { Attack } from './attack.ts';
import type { AttackCounts } from './attacker.ts';
import { AttackerProcess } from './attacker-process.ts';
import type { JobTime } from './regular.ts';
import { Stage } from './stage.ts';

export interface Pace {
  readonly jobEveryMs: number;
  /** Nodes that were just started: their code becomes fast, their memory comes to its size. */
  readonly warmUpMs: number;
  readonly quietMs: number;
  readonly attackMs: number;
  /** Of an attack that is measured over many jobs. */
  readonly longAttackMs: number;
  /** How long it is waited for jobs to take as long as before. */
  readonly longestRecoveryMs: number;
}

export const FULL_PACE: Pace = {
  jobEveryMs: 300,
  warmUpMs: 1500,
  quietMs: 3300,
  attackMs: 6000,
  longAttackMs: 33_000,
  longestRecoveryMs: 11_000,
};

export const QUICK_PACE: Pace = { ...FULL_PACE, warmUpMs: 2000, quietMs: 3000, attackMs: 4500 };

export interface Phase {
  readonly jobs: readonly JobTime[];
  /** One of each node. */
  readonly readings: readonly StallReading[];
}

export interface Measured {
  readonly attack: Attack;
  readonly counts: AttackCounts;
  /** Without an attack: before it, and after the restart that follows it where that brought the nodes back. */
  readonly before: Phase;
  readonly during: Phase;
  /** From its end until jobs take as long as before. */
  readonly after: Phase;
  readonly again: Phase | undefined;
  /** What each node still held then. */
  readonly restBytes: readonly number[];
  /** Undefined where it did not happen in `longestRecoveryMs`. */
  readonly recoveredMs: number | undefined;
  readonly recoveredAfterRestartMs: number | undefined;
}

/** A job takes as long as before when it is not slower than this many medians of the quiet jobs. */
const BACK_AT_MEDIANS = 2;
const BACK_IN_A_ROW = 2;
const LOOK_MS = 50;
/** In which the memory of a node is looked at on its own. */
const REST_LOOK_MS = 300;

export interface AttackReport {
  measured(one: Measured): void;
  /** A node ended, or the attack did nothing: there are no figures. */
  failed(attack: Attack, error: unknown): void;
}

/**
 * Each attack between two quiet phases, the second of which is the first of the next attack. Nodes that did not recover
 * serve no other attack: a new stage is opened for it.
 */
export async function measureAttacks(
  attacks: readonly Attack[],
  pace: Pace,
  report: AttackReport,
): Promise<void> {
  const waiting = [...attacks];
  for (let next = waiting[0]; next !== undefined; next = waiting[0])
    await measureOnOneStage(waiting, pace, report);
}

async function measureOnOneStage(waiting: Attack[], pace: Pace, report: AttackReport): Promise<void> {
  const stage = await Stage.open(pace.jobEveryMs);
  const attackerOf = (attack: Attack): AttackerProcess => new AttackerProcess(stage.order(attack.name));
  const attackers: AttackerProcess[] = [];
  try {
    let before: Phase | undefined;
    for (let attack = waiting.shift(); attack !== undefined; attack = waiting.shift()) {
      const attacker = attackers.pop() ?? attackerOf(attack);
      try {
        before ??= await quietPhase(stage, pace, attacker);
        const attackMs = attack.costsFirstJobs === true ? pace.longAttackMs : pace.attackMs;
        const attacked = await underAttack(stage, { ...pace, attackMs }, attacker, before.jobs);
        if (attack.isIdle !== true && Object.keys(attacked.counts).length === 0)
          throw new Error('it did nothing');
        const [next] = waiting;
        if (next !== undefined) attackers.push(attackerOf(next));
        const restarted = await afterRestart(stage, pace, before.jobs);
        const isBack = restarted.recoveredAfterRestartMs !== undefined;
        const again = isBack ? await quietPhase(stage, pace, attackers[0]) : undefined;
        report.measured({ attack, before, ...attacked, ...restarted, again });
        if (again === undefined) return;
        before = again;
      } catch (error) {
        report.failed(attack, error);
        return;
      } finally {
        await attacker.kill();
      }
    }
  } finally {
    await Promise.all(attackers.map((attacker) => attacker.kill()));
    await stage.close();
  }
}

/** The attacker gets ready beside the warm-up. */
async function quietPhase(stage: Stage, pace: Pace, attacker: AttackerProcess | undefined): Promise<Phase> {
  await Promise.all([wait(pace.warmUpMs), attacker?.ready()]);
  await stage.readings();
  return phase(stage, () => wait(pace.quietMs));
}

async function underAttack(
  stage: Stage,
  pace: Pace,
  attacker: AttackerProcess,
  quiet: readonly JobTime[],
): Promise<Pick<Measured, 'counts' | 'during' | 'after' | 'restBytes' | 'recoveredMs'>> {
  const beganMs = performance.now();
  attacker.begin();
  const { readings } = await phase(stage, () => wait(pace.attackMs));
  const counts = await attacker.end();
  const endedMs = performance.now();
  const recoveredMs = await untilBack(stage, pace, endedMs, quiet);
  const after = await phaseSince(stage, endedMs);
  await wait(REST_LOOK_MS);
  const restBytes = (await stage.readings()).map(({ peakRssBytes }) => peakRssBytes);
  await stage.regular.stop();
  const during = { jobs: stage.regular.posted(beganMs, endedMs), readings };
  return { counts, during, after, restBytes, recoveredMs };
}

async function afterRestart(
  stage: Stage,
  pace: Pace,
  quiet: readonly JobTime[],
): Promise<Pick<Measured, 'recoveredAfterRestartMs'>> {
  await stage.restart();
  const startedMs = performance.now();
  await stage.resume();
  return { recoveredAfterRestartMs: await untilBack(stage, pace, startedMs, quiet) };
}

async function phase(stage: Stage, work: () => Promise<unknown>): Promise<Phase> {
  const fromMs = performance.now();
  await work();
  return phaseSince(stage, fromMs);
}

async function phaseSince(stage: Stage, fromMs: number): Promise<Phase> {
  return { readings: await stage.readings(), jobs: stage.regular.posted(fromMs) };
}

/** How long after `sinceMs` the first of some jobs in a row was done that took no longer than quiet ones. */
async function untilBack(
  { regular }: Stage,
  { longestRecoveryMs }: Pace,
  sinceMs: number,
  quiet: readonly JobTime[],
): Promise<number | undefined> {
  const asQuickMs =
    BACK_AT_MEDIANS *
    percentile(
      quiet.map(({ tookMs }) => tookMs),
      0.5,
    );
  while (performance.now() - sinceMs < longestRecoveryMs) {
    await wait(LOOK_MS);
    const jobs = regular.posted(sinceMs);
    const isBack = ({ tookMs, completed }: JobTime): boolean => completed && tookMs <= asQuickMs;
    const at = jobs.findIndex(
      (_, index) =>
        index + BACK_IN_A_ROW <= jobs.length && jobs.slice(index, index + BACK_IN_A_ROW).every(isBack),
    );
    const job = jobs[at];
    if (job !== undefined) return job.postedAtMs + job.tookMs - sinceMs;
  }
  return undefined;
}
