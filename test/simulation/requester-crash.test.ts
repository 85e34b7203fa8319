import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { JobEventType } from '../../src/domain/job/job-event.ts';
import { messageOf } from '../../src/lib/coded-error.ts';
import { defaultProviderLimits } from '../../src/provider/options.ts';
import { type CrashPlan, type Played, play } from './crash-play.ts';
import { STORIES, type Story } from './crash-stories.ts';

/**
 * The requester is killed the moment each event of a job is durable, whichever event that is, and starts again.
 * The job comes to the end it would have come to, a contract that was closed goes on or, where its work had not begun and
 * its requester was away for long, is made good by another one; no work is done twice, and no capacity stays taken.
 */
const SHORTLY_DOWN_MS = 300;
/** Longer than the work, than a provider's patience on a stream, and than a lock needs. */
const LONG_DOWN_MS = 45_000;
/** The next batch is being written; a message is on its way; an answer is. */
const LATE_MS = [1, 8, 25];

/** False: nothing writes it yet. */
const WRITTEN: Readonly<Record<JobEventType, boolean>> = {
  'job.posted': true,
  'job.queued': true,
  'job.completed': true,
  'job.failed': true,
  'job.stopped': true,
  'search.opened': true,
  'search.closed': true,
  'bid.received': true,
  'bid.refused': true,
  'provider.shortlisted': true,
  'lock.requested': true,
  'lock.acquired': true,
  'lock.declined': true,
  'lock.timeout': true,
  'contract.proposed': true,
  'contract.accepted': true,
  'contract.declined': true,
  'execution.started': true,
  'execution.publishing': true,
  'execution.completed': true,
  'execution.failed': true,
  'execution.lost': true,
  'execution.cancelled': true,
  'contract.settled': false,
  'contract.terminated': true,
};

const stories = Object.entries(STORIES).map(([name, story]) => ({ name, story }));

describe('a requester that is killed at each event of a job', () => {
  test.each(stories)('$name', async ({ story }) => {
    const whole = await play(story);
    const problems = problemsOf(whole, story);
    for (const plan of plansFor(story, whole)) {
      problems.push(
        ...(await problemsWith(story, plan)).map((problem) => `${told(plan, whole)}: ${problem}`),
      );
    }
    expect(problems).toEqual([]);
  });

  test('the stories have every type of event', async () => {
    const seen = new Set<JobEventType>();
    for (const { story } of stories) for (const { type } of (await play(story)).events) seen.add(type);
    const written = Object.entries(WRITTEN).flatMap(([type, isWritten]) => (isWritten ? [type] : []));
    expect([...seen].toSorted()).toEqual(written.toSorted());
  });
});

function plansFor(story: Story, { batches }: Played): readonly CrashPlan[] {
  return Array.from({ length: batches.length + 1 }, (_, afterBatch): readonly CrashPlan[] => [
    { afterBatch: [afterBatch], downMs: SHORTLY_DOWN_MS },
    ...(story.thorough === true
      ? [
          { afterBatch: [afterBatch], downMs: LONG_DOWN_MS },
          { afterBatch: [afterBatch, 1, 1], downMs: SHORTLY_DOWN_MS },
          ...LATE_MS.map((lateMs) => ({ afterBatch: [afterBatch], downMs: SHORTLY_DOWN_MS, lateMs })),
        ]
      : []),
  ]).flat();
}

function told({ afterBatch, downMs, lateMs = 0 }: CrashPlan, { batches }: Played): string {
  const [first = 0] = afterBatch;
  const types = first === 0 ? ['job.posted'] : batches[first - 1]?.map(({ type }) => type);
  const when = `${lateMs} ms after batches ${afterBatch.join(', ')} (${types?.join(' ') ?? ''})`;
  return `killed ${when}, down for ${downMs} ms`;
}

async function problemsWith(story: Story, plan: CrashPlan): Promise<readonly string[]> {
  try {
    const played = await play(story, plan);
    const [first = 0] = plan.afterBatch;
    const killed =
      plan.lateMs === undefined ? played.batches.length === first : played.batches.length >= first;
    return killed ? problemsOf(played, story, plan.downMs) : ['it was not killed there'];
  } catch (error) {
    return [messageOf(error)];
  }
}

/** What is not as the story says. */
function problemsOf(played: Played, story: Story, downMs = 0): string[] {
  const { job, events, batches, contracts } = played;
  const durable = batches.flat();
  const problems = [...runProblems(played, story), ...contractProblems(played, downMs)];
  if (job.state !== story.end) problems.push(`the job is ${job.state}`);
  if (!isDeepStrictEqual(events.slice(1, durable.length + 1), durable)) {
    problems.push('events that were durable are not what they were');
  }
  const completed = contracts.filter(({ state }) => state === 'COMPLETED').length;
  const wanted = story.end === 'Completed' ? job.spec.count : 0;
  if (completed !== wanted) problems.push(`${completed} contracts are completed`);
  return problems;
}

function runProblems({ world, job, doomed }: Played, { runs }: Story): string[] {
  const { starts, finishes } = world.record;
  const twice = [...starts].flatMap(([id, count]) => (count > 1 ? [`${id} ran ${count} times`] : []));
  const finished = [...finishes.keys()].filter((id) => id.startsWith(job.id) && !doomed.has(id)).length;
  return finished === runs ? twice : [...twice, `${finished} executions did their work`];
}

/**
 * After the commit point the same contract goes on, however late the requester learns that it was reached. What had not
 * begun does not wait for a requester that stays away.
 */
function contractProblems({ world, executions, events, doomed }: Played, downMs: number): string[] {
  return events.flatMap(({ type, executionId = '', data }) => {
    if (type !== 'contract.accepted' || doomed.has(executionId)) return [];
    const execution = executions.find(({ id }) => id === executionId);
    const { observed } = execution ?? {};
    const reason = observed?.state === 'Failed' ? observed.end.exitReason : undefined;
    const isLost = reason === 'lost';
    const wasAway = reason === 'requester-away' && downMs > defaultProviderLimits.awayBeforeStartMs;
    if (wasAway && !world.record.starts.has(executionId)) return [];
    const kept = execution?.contractId === data?.['contractId'] && !isLost;
    return kept && world.record.starts.get(executionId) === 1 ? [] : [`${executionId} did not go on`];
  });
}
