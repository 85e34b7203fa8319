import { isNoRoom } from '../../domain/market/bid.ts';
import { type Execution, isCommitted, isLive } from '../../domain/market/execution.ts';
import type { Shortage, ShortageData } from '../../domain/job/job-reason.ts';
import type { Job } from '../../domain/job/job.ts';
import type { PlanAction, ReconcileInput } from '../../domain/job/plan.ts';
import type { PassedOver } from '../../domain/market/passed-over.ts';
import type { Search } from '../../domain/market/search.ts';
import { contentIdOf, encodeCanonical } from '../../lib/canonical.ts';
import { closeSearch, stopAll } from './endings.ts';
import { queueOf, roomMayCome } from './queueing.ts';
import { exclusionsAfter, saidNo } from './ruled-out.ts';

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

  const beside = { ...lostBefore(input.executions), ...elsewhere(search) };
  const queue = queueOf(input, search);
  if (now >= queue.endsAt) {
    return [
      ...stopAll(input, now, 'cancelled'),
      {
        kind: 'SetJobState',
        state: 'Failed',
        why: shortageOf(job, search, ofRound, { ...beside, ...queueThatHelps(job, search) }),
      },
    ];
  }
  if (now >= queue.searchAt) return [start];
  const idle = job.state !== 'Queued' && !input.executions.some(isLive);
  return [
    ...(idle
      ? [
          {
            kind: 'SetJobState',
            state: 'Queued',
            why: shortageOf(job, search, ofRound, beside),
          } satisfies PlanAction,
        ]
      : []),
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
function shortageOf(
  { spec }: Job,
  search: Search,
  ofRound: readonly Execution[],
  beside: ShortageData,
): Shortage {
  const { declines, refused, entries } = search.index;
  const reasons: readonly PassedOver[] = [
    ...declines.map(({ decline }) => saidNo(decline)),
    ...refused.map(({ code }): PassedOver => ({ code: 'bid-refused', data: { refusal: code } })),
    ...ofRound.flatMap(({ observed }) => ('end' in observed ? [observed.end.why] : [])),
    ...(search.ruledOut ?? []).map(({ why }) => why),
  ];
  if (reasons.length > 0) return { code: 'nobody-could', data: { ...beside, because: counted(reasons) } };
  if (entries.length > 0) return { code: 'bidders-gone', data: beside };
  if (search.closeReason === 'interrupted') return { code: 'search-broken-off', data: beside };
  const leftOut = { ...beside, excluded: spec.excludedProviders.length };
  if (search.seenAtLeast > 0) return { code: 'no-bid-in-time', data: leftOut };
  const providers = spec.orchestrationType === 'push' ? spec.preferredProviders : [];
  if (providers.length > 0) return { code: 'preferred-silent', data: { ...beside, providers } };
  const { known, fitting, misses: fields } = search.unheard ?? { known: 0, fitting: 0, misses: [] };
  if (known === 0) return { code: 'nobody-known', data: leftOut };
  return fitting > 0
    ? { code: 'nobody-reached', data: { ...leftOut, known, fitting } }
    : { code: 'nobody-fits', data: { ...leftOut, known, fields } };
}

/** Nodes that are connected and cannot be asked, for people who wonder why nobody answers. */
function elsewhere({ otherNetworks = [] }: Search): Pick<ShortageData, 'otherNetworks'> {
  return otherNetworks.length === 0 ? {} : { otherNetworks };
}

/** Who had the work before and lost it, where nobody has had it since. */
function lostBefore(executions: readonly Execution[]): Pick<ShortageData, 'lost'> {
  const lost = executions.findLast((execution) => isLost(execution) && !isMadeGood(execution, executions));
  if (lost === undefined || !('end' in lost.observed)) return {};
  const { observed, provider, createdAt } = lost;
  const startedAt = ('startedAt' in observed ? observed.startedAt : undefined) ?? createdAt;
  return { lost: { provider, afterMs: Math.max(0, observed.end.finishedAt - startedAt) } };
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

/** How long the job waited, where a longer wait may find the room that declines speak of. */
function queueThatHelps({ spec }: Job, { index }: Search): Pick<ShortageData, 'queueMs'> {
  return index.declines.some(({ decline }) => isNoRoom(decline)) ? { queueMs: spec.timeouts.queueMs } : {};
}

function counted(reasons: readonly PassedOver[]): readonly { count: number; why: PassedOver }[] {
  const counts = new Map<string, { count: number; why: PassedOver }>();
  for (const why of reasons) {
    const key = contentIdOf(encodeCanonical(why));
    counts.set(key, { why, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.values()];
}
