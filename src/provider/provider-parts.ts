import { partitionOf } from '../domain/market/execution.ts';
import type { Lease } from '../domain/market/lock.ts';
import type { PeerMemory } from '../domain/trust/peer-memory.ts';
import type { ServingItem } from '../domain/market/serving.ts';
import type { Calendar } from '../lib/calendar.ts';
import { messageOf } from '../lib/coded-error.ts';
import { chanceOf, newId } from '../lib/random.ts';
import { AdmissionControl } from './admission/admission-control.ts';
import type { RequesterGate } from './admission/requester-gate.ts';
import type { EstablishedDemand } from './behaviour/established-demand.ts';
import type { RequesterHistory } from './behaviour/requester-history.ts';
import { Bidder } from './bidding/bidder.ts';
import { Capacity } from './bidding/capacity.ts';
import { ContractDesk } from './bidding/contract-desk.ts';
import { Leftovers } from './bidding/leftovers.ts';
import { LiveExecutions } from './executions/live-executions.ts';
import { Hearing } from './executions/hearing.ts';
import { OrphanWatch } from './executions/orphan-watch.ts';
import { Reporter, type ServedTo } from './executions/reporter.ts';
import { Settler } from './executions/settler.ts';
import { StartTimes } from './executions/start-times.ts';
import { Supervisor } from './executions/supervisor.ts';
import type { ProviderNeeds } from './index.ts';
import { Allotment } from './locks/allotment.ts';
import { ResourceLedger } from './locks/ledger.ts';
import { Room } from './resources/room.ts';
import type { ProviderOptions } from './options.ts';
import type { ProviderExecution } from './ports.ts';

export interface ProviderParts {
  readonly ledger: ResourceLedger;
  readonly live: LiveExecutions;
  readonly bidder: Bidder;
  readonly admissionControl: AdmissionControl;
  readonly contracts: ContractDesk;
  readonly supervisor: Supervisor;
  readonly reporter: Reporter;
  readonly settler: Settler;
  readonly orphans: OrphanWatch;
  readonly room: Room;
  /** Starts an execution that is on disk, and tells its requester. */
  begin(execution: ProviderExecution): void;
}

/** What the provider knows of requesters; it is there before the other parts. */
export interface RequesterMemory {
  readonly gate: RequesterGate;
  readonly behaviour: RequesterHistory;
  readonly established: PeerMemory | undefined;
  readonly establishedDemand: EstablishedDemand;
}

const OVERRUN = { exitReason: 'timeout', message: 'The work overran its lease.' } as const;

/** Builds the provider's parts and joins them. */
export function wireProvider(
  options: ProviderOptions,
  needs: ProviderNeeds,
  memory: RequesterMemory,
  highestVersion: number,
): ProviderParts {
  const { clock, random, store } = needs;
  const id = (): string => newId(clock, random);
  const live = new LiveExecutions(store, clock, chanceOf(random));
  const starts = new StartTimes(options.limits);
  const room = new Room(needs);
  const { ledger, bidder, allotment, leftovers } = wireCapacity(options, needs, id, highestVersion, {
    memory,
    starts,
    room,
    live,
    onOverrun: (lease) => supervisor.stop(lease.executionId, OVERRUN),
  });
  const served = wireExecutions(options, needs, memory, {
    ledger,
    live,
    starts,
    room,
    allotment,
  });
  const { supervisor } = served;
  const admissionControl = new AdmissionControl(options.limits.admission, {
    clock,
    gate: memory.gate,
    bidder,
    onEstablished: () => memory.establishedDemand.asked(),
  });
  const contracts = new ContractDesk(options, {
    ...needs,
    ledger,
    bidder,
    room,
    leftovers,
    isEstablished: (requester) => memory.gate.isEstablished(requester),
    isKnown: (executionId) => live.get(executionId) !== undefined,
    onAccepted: served.begin,
  });
  return { ledger, live, bidder, admissionControl, contracts, room, ...served };
}

type Served = Pick<ProviderParts, 'supervisor' | 'reporter' | 'settler' | 'orphans' | 'begin'>;

interface ServedParts extends Pick<ProviderParts, 'ledger' | 'live' | 'room'> {
  readonly starts: StartTimes;
  readonly allotment: Allotment;
}

/** What carries accepted contracts to their end, and tells their requesters. */
function wireExecutions(
  options: ProviderOptions,
  needs: ProviderNeeds,
  { gate, behaviour, established, establishedDemand }: RequesterMemory,
  parts: ServedParts,
): Served {
  const { clock, random } = needs;
  const chance = chanceOf(random);
  const { live } = parts;
  const hearing = new Hearing(clock);
  const supervisor: Supervisor = new Supervisor(options, {
    ...needs,
    chance,
    ...parts,
    onChanged: (requester) => reporter.changed(requester),
    onNeverBegun: ({ requester, lockId }) => {
      behaviour.neverBegun(requester);
      parts.allotment.neverBegun(lockId);
    },
    hearing,
  });
  const settler = new Settler({
    ...needs,
    live,
    supervisor,
    onKept: (requester) => {
      gate.kept(requester);
      established?.add(requester);
      behaviour.kept(requester);
      if (gate.isEstablished(requester)) establishedDemand.asked();
    },
  });
  const orphans = new OrphanWatch({
    ...needs,
    live,
    hearing,
    supervisor,
    settler,
    mostUnbegun: options.limits.strangers.unbegunEnds,
    onAbandoned: (requester) => behaviour.abandoned(requester),
  });
  const reporter: Reporter = new Reporter(
    { periodMs: options.limits.heartbeatMs, longestMs: options.limits.longestHeartbeatMs },
    {
      ...needs,
      chance,
      servedTo: (requester) => servedTo(live, requester, needs.calendar),
      onDesired: (...wish) => settler.want(...wish),
      onHeard: (requester) => hearing.heard(requester),
    },
  );
  const begin = (execution: ProviderExecution): void => {
    live.add(execution);
    hearing.heard(execution.requester);
    reporter.changed(execution.requester);
    supervisor.start(execution);
  };
  return { supervisor, reporter, settler, orphans, begin };
}

interface CapacityParts extends Pick<ProviderParts, 'room' | 'live'> {
  readonly starts: StartTimes;
  readonly memory: RequesterMemory;
  readonly onOverrun: (lease: Lease) => void;
}

/** The ledger, and who bids on what it has free: whoever was refused for want of room is to hear when there is some. */
function wireCapacity(
  options: ProviderOptions,
  needs: ProviderNeeds,
  newId: () => string,
  highestVersion: number,
  { onOverrun, memory, ...parts }: CapacityParts,
): Pick<ProviderParts, 'ledger' | 'bidder'> & {
  readonly allotment: Allotment;
  readonly leftovers: Leftovers;
} {
  const { clock, logger, store, machine, onboarded, onRoomFreed, link } = needs;
  const { gate, establishedDemand } = memory;
  let isShort = false;
  const ledger = new ResourceLedger(
    { machine, onboarded, highestVersion },
    {
      clock,
      newLockId: newId,
      onFreed: () => {
        if (isShort) onRoomFreed?.();
        isShort = false;
      },
      onExpired: (lease) => {
        if (parts.live.get(lease.executionId) === undefined) onUnused(lease);
        else onOverrun(lease);
        store.commit({ leases: [lease] }).catch((error: unknown) => {
          logger.warn('the end of a lease was not written', { reason: messageOf(error) });
        });
      },
    },
  );
  const { live } = parts;
  const allotment = new Allotment(options.establishedPercent, options.limits.strangers, {
    clock,
    ledger,
    isEstablished: (requester) => gate.isEstablished(requester),
    reputationOf: (requester) => gate.reputationOf(requester),
    isKept: () => establishedDemand.isActive,
    hasBegun: (executionId) => live.hasBegun(executionId),
    unsettled: () => live.all().flatMap(({ settled, requester }) => (settled ? [] : [requester])),
    prefixOf: (requester) => link.prefixOf?.(requester),
  });
  const unusedMs = options.limits.strangers.unusedLockMs;
  const onUnused = (lease: Lease): void => {
    if (!isUnused(lease, clock.livedMs(), unusedMs)) return;
    memory.behaviour.unusedLock(lease.holder);
    allotment.neverBegun(lease.lockId);
  };
  const leftovers = new Leftovers(options.establishedPercent, {
    ...needs,
    isEstablished: (requester) => gate.isEstablished(requester),
    isKept: () => establishedDemand.isActive,
    executions: () => live.all(),
  });
  const bidder = new Bidder(options, {
    ...needs,
    ...parts,
    ledger,
    capacity: new Capacity(options.limits, { ...needs, ledger, allotment }),
    leftovers,
    onUnused,
    newId,
    liveExecutions: () => live.liveCount(),
    holdsInputsOf: (jobId) => live.all().some((known) => known.jobId === jobId),
    onNoRoom: () => {
      isShort = true;
    },
  });
  return { ledger, bidder, allotment, leftovers };
}

/** A lock that came with a bid was not asked for, and one that was given back soon harmed nobody. */
function isUnused({ executionId, acquiredAt }: Lease, now: number, unusedLockMs: number): boolean {
  return partitionOf(executionId) !== undefined && now - acquiredAt >= unusedLockMs;
}

/** What runs comes before what is over: an item that does not fit must not look like a silent provider. */
function servedTo(live: LiveExecutions, requester: string, calendar: Calendar): ServedTo {
  const served = live.unsettledOf(requester);
  return {
    record: served[0]?.requesterRecord ?? new Uint8Array(),
    items: served
      .map(({ item }) => itemFor(item, calendar))
      .toSorted((a, b) => Number(a.finishedAt !== undefined) - Number(b.finishedAt !== undefined)),
  };
}

/** Lived time means nothing to another node. */
function itemFor(item: ServingItem, calendar: Calendar): ServingItem {
  const { startedAt, finishedAt } = item;
  return {
    ...item,
    ...(startedAt === undefined ? {} : { startedAt: calendar.wallMs(startedAt) }),
    ...(finishedAt === undefined ? {} : { finishedAt: calendar.wallMs(finishedAt) }),
  };
}
