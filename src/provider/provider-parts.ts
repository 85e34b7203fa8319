import type { Lease } from '../domain/lock.ts';
import type { ServingItem } from '../domain/serving.ts';
import type { Calendar } from '../lib/calendar.ts';
import { messageOf } from '../lib/coded-error.ts';
import { newId } from '../lib/random.ts';
import { FrontDesk } from './admission/front-desk.ts';
import type { RequesterGate } from './admission/requester-gate.ts';
import type { Regulars } from './behaviour/regulars.ts';
import type { RequesterBook } from './behaviour/requester-book.ts';
import { Bidder } from './bidding/bidder.ts';
import { ContractDesk } from './bidding/contract-desk.ts';
import { ExecutionBook } from './executions/execution-book.ts';
import { OrphanWatch } from './executions/orphan-watch.ts';
import { Reporter, type ServedTo } from './executions/reporter.ts';
import { Settler } from './executions/settler.ts';
import { StartTimes } from './executions/start-times.ts';
import { Supervisor } from './executions/supervisor.ts';
import type { ProviderNeeds } from './index.ts';
import { ResourceLedger } from './locks/ledger.ts';
import { Room } from './resources/room.ts';
import type { ProviderOptions } from './options.ts';
import type { ProviderExecution } from './ports.ts';

export interface ProviderParts {
  readonly ledger: ResourceLedger;
  readonly book: ExecutionBook;
  readonly bidder: Bidder;
  readonly frontDesk: FrontDesk;
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
  readonly behaviour: RequesterBook;
  readonly regulars: Regulars | undefined;
}

const OVERRUN = { exitReason: 'timeout', message: 'The work overran its lease.' } as const;

/** Builds the provider's parts and joins them. */
export function wireProvider(
  options: ProviderOptions,
  needs: ProviderNeeds,
  { gate, behaviour, regulars }: RequesterMemory,
  highestVersion: number,
): ProviderParts {
  const { clock, random, store } = needs;
  const id = (): string => newId(clock, random);
  const book = new ExecutionBook(store, clock);
  const ledger = wireLedger(needs, highestVersion, id, (lease) =>
    supervisor.stop(lease.executionId, OVERRUN),
  );
  const starts = new StartTimes(options.limits);
  const room = new Room(needs);
  const supervisor: Supervisor = new Supervisor(options, {
    ...needs,
    ledger,
    book,
    starts,
    room,
    onChanged: (requester) => reporter.changed(requester),
  });
  const settler = new Settler({
    ...needs,
    book,
    supervisor,
    onKept: (requester) => {
      gate.kept(requester);
      regulars?.kept(requester);
      behaviour.kept(requester);
    },
  });
  const orphans = new OrphanWatch({
    ...needs,
    book,
    supervisor,
    settler,
    onAbandoned: (requester) => behaviour.abandoned(requester),
  });
  const reporter: Reporter = new Reporter(
    { periodMs: options.limits.heartbeatMs, longestMs: options.limits.longestHeartbeatMs },
    {
      ...needs,
      servedTo: (requester) => servedTo(book, requester, needs.calendar),
      onDesired: (...wish) => settler.want(...wish),
      onHeard: (requester) => orphans.heard(requester),
    },
  );
  const bidder = wireBidder(options, needs, id, { ledger, starts, room, book });
  const frontDesk = new FrontDesk(options.limits.admission, { clock, gate, bidder });
  const begin = (execution: ProviderExecution): void => {
    book.add(execution);
    orphans.heard(execution.requester);
    reporter.changed(execution.requester);
    supervisor.start(execution);
  };
  const contracts = new ContractDesk(options, {
    ...needs,
    ledger,
    bidder,
    room,
    isKnown: (executionId) => book.get(executionId) !== undefined,
    onAccepted: begin,
  });
  return { ledger, book, bidder, frontDesk, contracts, supervisor, reporter, settler, orphans, room, begin };
}

function wireBidder(
  options: ProviderOptions,
  needs: ProviderNeeds,
  newId: () => string,
  parts: Pick<ProviderParts, 'ledger' | 'room' | 'book'> & { readonly starts: StartTimes },
): Bidder {
  const { book } = parts;
  return new Bidder(options, {
    ...needs,
    ...parts,
    newId,
    liveExecutions: () => book.liveCount(),
    holdsInputsOf: (jobId) => book.all().some((known) => known.jobId === jobId),
  });
}

function wireLedger(
  { clock, logger, store, machine, onboarded }: ProviderNeeds,
  highestVersion: number,
  newLockId: () => string,
  onOverrun: (lease: Lease) => void,
): ResourceLedger {
  return new ResourceLedger(
    { machine, onboarded, highestVersion },
    {
      clock,
      newLockId,
      onExpired: (lease) => {
        onOverrun(lease);
        store.commit({ leases: [lease] }).catch((error: unknown) => {
          logger.warn('the end of a lease was not written', { reason: messageOf(error) });
        });
      },
    },
  );
}

/** What runs comes before what is over: an item that does not fit must not look like a silent provider. */
function servedTo(book: ExecutionBook, requester: string, calendar: Calendar): ServedTo {
  const served = book.unsettledOf(requester);
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
