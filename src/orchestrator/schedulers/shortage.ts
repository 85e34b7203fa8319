import { isNoRoom } from '../../domain/market/bid.ts';
import { durationText } from '../../domain/matching/field-text.ts';
import { type Execution, isCommitted, isLive } from '../../domain/market/execution.ts';
import type { Job } from '../../domain/job/job.ts';
import type { PlanAction, ReconcileInput } from '../../domain/job/plan.ts';
import type { Search } from '../../domain/market/search.ts';
import { namesOf } from '../../domain/explain/suggestions.ts';
import { closeSearch, stopAll } from './endings.ts';
import { queueOf, roomMayCome } from './queueing.ts';
import { declineReason, exclusionsAfter } from './ruled-out.ts';

type StartSearch = Extract<PlanAction, { kind: 'StartSearch' }>;

/** Partitions are open and no bid is left for them: another round, at once or later, or the end of the job. */
export function searchAgain(input: ReconcileInput, slots: number, now: number): readonly PlanAction[] {
  const { job, search } = input;
  const excluded = exclusionsAfter(job, search, input.executions, now);
  if (search === undefined) {
    return [{ kind: 'StartSearch', round: 1, slots, ...excluded, fruitlessRounds: 1, fruitlessSince: now }];
  }
  const ofRound = input.executions.filter(({ requestId }) => requestId === search.requestId);
  const fruitful = ofRound.some(becameContract);
  const start: StartSearch = {
    kind: 'StartSearch',
    round: search.round + 1,
    slots,
    ...excluded,
    fruitlessRounds: fruitful ? 1 : search.fruitlessRounds + 1,
    fruitlessSince: fruitful ? now : search.fruitlessSince,
    ...(roomMayCome(input, search) ? { roomMayCome: true } : {}),
  };
  // A round whose bids were used up or broken off, or that asked only some, is no shortage: it costs a round and not
  // the queue's time.
  const hadBids = fruitful || search.index.entries.length > 0 || search.closeReason === 'interrupted';
  const goesOn = hadBids || search.partial === true;
  if (goesOn && start.fruitlessRounds <= input.maxSearchRounds) return [start];

  const reason = afterLoss(input.executions, shortageReason(job, search, ofRound)) + elsewhere(search);
  const queue = queueOf(input, search);
  if (now >= queue.endsAt) {
    return [
      ...stopAll(input, now, 'cancelled'),
      { kind: 'SetJobState', state: 'Failed', reason: reason + nextStep(job, search) },
    ];
  }
  if (now >= queue.searchAt) return [start];
  const idle = job.state !== 'Queued' && !input.executions.some(isLive);
  return [
    ...(idle ? [{ kind: 'SetJobState', state: 'Queued', reason } satisfies PlanAction] : []),
    { kind: 'Requeue', trigger: 'job-queue', waitUntil: queue.searchAt },
    // Nobody is to wait for a job that has nothing to offer before its next round.
    ...closeSearch(input),
  ];
}

/** A proposal alone is not enough: one that is declined leaves the job where it was. */
function becameContract(execution: Execution): boolean {
  const { observed } = execution;
  if (isCommitted(execution) || observed.state === 'Completed') return true;
  return observed.state === 'Failed' && observed.contractId !== undefined;
}

/** Why the last round placed nothing, with equal reasons counted; those who were ruled out before it still count. */
function shortageReason({ spec }: Job, search: Search, ofRound: readonly Execution[]): string {
  const { declines, refused, entries } = search.index;
  const reasons = [
    ...declines.map(({ decline }) => declineReason(decline)),
    ...refused.map(({ code }) => code),
    ...ofRound.flatMap(({ observed }) => ('end' in observed ? [observed.end.message] : [])),
    ...(search.ruledOut ?? []).map(({ reason }) => reason),
  ];
  if (reasons.length > 0) return `No provider could take the job: ${counted(reasons)}.`;
  if (entries.length > 0) return 'Every provider that made a bid went away before it could be used.';
  if (search.closeReason === 'interrupted') return 'The search for providers was broken off.';
  if (search.seenAtLeast > 0) return `No provider made a bid in time.${leftOut(spec)}`;
  const chosen = spec.orchestrationType === 'push' ? spec.preferredProviders : [];
  return chosen.length > 0
    ? `No provider gave an answer: the job asks only ${namesOf(chosen)}. Check the ids, and that those nodes run and offer something.`
    : unheardReason(spec, search.unheard);
}

/** Nodes that are connected and cannot be asked, for people who wonder why nobody answers. */
function elsewhere({ otherNetworks = [] }: Search): string {
  if (otherNetworks.length === 0) return '';
  const names = otherNetworks.map((name) => `"${name}"`).join(', ');
  return ` Connected nodes of network ${names} were not asked: this node is of another one; join theirs with "bidmesh start --network".`;
}

/** Nobody had the request, and why not as far as it is known. */
function unheardReason(spec: Job['spec'], unheard: Search['unheard']): string {
  if (unheard === undefined || unheard.known === 0) {
    return spec.excludedProviders.length > 0
      ? `No provider could be asked.${leftOut(spec)}`
      : 'No provider could be reached. Start one with "bidmesh start", or join a network with --bootstrap.';
  }
  const { known, fitting, misses } = unheard;
  if (fitting > 0)
    return `No provider could be reached: ${fitting} of the ${known} known ones would fit.${leftOut(spec)}`;
  const who =
    known === 1 ? 'The only known provider does not fit' : `None of the ${known} known providers fits`;
  return `${who}${misses.length === 0 ? '' : `: ${namesOf(misses)}`}.${leftOut(spec)}`;
}

function leftOut({ excludedProviders }: Job['spec']): string {
  const count = excludedProviders.length;
  if (count === 0) return '';
  return ` ${count === 1 ? '1 provider is' : `${count} providers are`} left out by excludedProviders.`;
}

/** Who had the work before and lost it, where nobody has had it since. */
function afterLoss(executions: readonly Execution[], reason: string): string {
  const lost = executions.findLast((execution) => isLost(execution) && !isMadeGood(execution, executions));
  if (lost === undefined || !('end' in lost.observed)) return reason;
  const { observed, provider, createdAt } = lost;
  const startedAt = ('startedAt' in observed ? observed.startedAt : undefined) ?? createdAt;
  const then = reason.replace(/^No provider/, 'no other provider').replace(/^[A-Z]/, (a) => a.toLowerCase());
  return `Lost by ${provider} after ${durationText(Math.max(0, observed.end.finishedAt - startedAt))}; then ${then}`;
}

function isLost({ observed }: Execution): boolean {
  return (
    observed.state === 'Failed' && observed.contractId !== undefined && observed.end.exitReason === 'lost'
  );
}

function isMadeGood({ partition, attempt }: Execution, executions: readonly Execution[]): boolean {
  return executions.some(
    (other) => other.partition === partition && other.attempt > attempt && becameContract(other),
  );
}

/** What the user of a failed job can do about declines that will not last. */
function nextStep({ spec }: Job, { index }: Search): string {
  if (!index.declines.some(({ decline }) => isNoRoom(decline))) return '';
  const { queueMs } = spec.timeouts;
  return queueMs === 0
    ? ' With time in timeouts.queue the job waits for room.'
    : ' With more time in timeouts.queue the job waits longer for room.';
}

function counted(reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([reason, count]) => `${count} x ${reason.replace(/\.$/, '')}`)
    .join(', ');
}
