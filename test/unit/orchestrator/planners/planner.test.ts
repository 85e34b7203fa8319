import { beforeEach, describe, expect, it } from 'vitest';
import type { ContractRecord } from '../../../../src/domain/market/contract.ts';
import type { Execution } from '../../../../src/domain/market/execution.ts';
import type { JobSnapshot, PlanAction } from '../../../../src/domain/job/plan.ts';
import { CodedError } from '../../../../src/lib/coded-error.ts';
import { Planner } from '../../../../src/orchestrator/planners/planner.ts';
import type { JobCommit } from '../../../../src/orchestrator/ports.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';
import { contractOf, entryOf, executionOf, jobOf, observedAs, roundOf } from '../../fakes/market.ts';

const EXECUTION = 'job.v1.p0r0.a1';

let clock: FakeClock;
let done: string[];
let commits: JobCommit[];
let failure: Error | undefined;
let slots: number;
let draft: ContractRecord | undefined;
let contracts: Map<string, ContractRecord>;
let planner: Planner;

beforeEach(() => {
  clock = new FakeClock();
  done = [];
  commits = [];
  failure = undefined;
  slots = 1;
  draft = contractOf('draft', { state: 'PROPOSED' });
  contracts = new Map();
  planner = new Planner({
    room: { wait: () => {}, leave: () => {} },
    clock,
    newRequestId: () => 'round-new',
    dispatcher: {
      reserve: (requestId) => {
        slots -= 1;
        done.push(`reserve ${requestId}`);
        return slots >= 0;
      },
      giveBack: (requestId) => void done.push(`give back ${requestId}`),
      start: (_job, search) => void done.push(`start ${search.requestId} ${search.state}`),
      release: (jobId) => void done.push(`release ${jobId}`),
    },
    negotiator: {
      draftProposal: () => draft,
      requestLock: (_snapshot, { id }) => void done.push(`lock ${id}`),
      propose: (_job, { id }, { contractId }) => void done.push(`propose ${contractId} for ${id}`),
      forget: (id) => void done.push(`forget ${id}`),
    },
    evaluate: (_job, trigger, waitUntil) => void done.push(`evaluate ${trigger} ${waitUntil ?? 'now'}`),
    onFinished: ({ job }) => void done.push(`finished ${job.state}`),
  });
});

it('writes down what bids are of no use, each with its event', async () => {
  const search = roundOf([entryOf('a'), entryOf('b')]);
  const providers = ['a', 'b'];
  await carryOut([{ kind: 'RefuseBids', providers, code: 'BID_EXPIRED' }], { search });
  const refused = providers.map((provider) => ({ provider, code: 'BID_EXPIRED' }));
  expect(commits).toMatchObject([
    {
      search: { requestId: search.requestId, index: { entries: search.index.entries, refused } },
      events: refused.map((bid) => ({ type: 'bid.refused', ...bid })),
    },
  ]);
});

async function carryOut(
  actions: readonly PlanAction[],
  changes: {
    executions?: readonly Execution[];
    state?: JobSnapshot['job']['state'];
    search?: JobSnapshot['search'];
  } = {},
): Promise<boolean> {
  const { executions = [], state = 'Pending', search } = changes;
  const before: JobSnapshot = {
    job: jobOf({ state }),
    executions,
    revision: 3,
    ...(search === undefined ? {} : { search }),
  };
  return await planner.carryOut({ jobId: 'job', revision: 3, actions }, before, {
    newestContract: async (contractId) => contracts.get(contractId),
    settled: async () => void done.push('settled'),
    begin: async (commit) => {
      if (failure !== undefined) throw failure;
      commits.push(commit);
      done.push('commit');
      const merged = new Map([...executions, ...(commit.executions ?? [])].map((known) => [known.id, known]));
      const after: JobSnapshot = {
        job: commit.job ?? before.job,
        executions: [...merged.values()],
        revision: 4,
        ...(commit.search === undefined ? {} : { search: commit.search }),
      };
      return { after, durable: Promise.resolve() };
    },
  });
}

const search: Extract<PlanAction, { kind: 'StartSearch' }> = {
  kind: 'StartSearch',
  round: 1,
  slots: 1,
  exclude: [],
  fruitlessRounds: 1,
  fruitlessSince: 0,
};
const run: PlanAction = { kind: 'SetDesired', executionId: EXECUTION, desired: 'Running' };

describe('a plan', () => {
  it('that changes nothing is not written, and its waits are kept', async () => {
    expect(await carryOut([{ kind: 'Requeue', trigger: 'job-queue', waitUntil: 99 }])).toBe(true);
    expect(done).toEqual(['settled', 'evaluate job-queue 99']);
  });

  it('is one batch on the revision it was made on', async () => {
    const execution = executionOf(0, 1, 'a', observedAs.new());
    await carryOut([{ kind: 'CreateExecution', execution }]);
    expect(commits).toMatchObject([{ jobId: 'job', revision: 3, executions: [{ id: EXECUTION }] }]);
    expect(done).toEqual(['commit', `lock ${EXECUTION}`]);
  });

  it('that came too late is made again, and gives its slot back', async () => {
    failure = new CodedError('REVISION_CONFLICT', 'late');
    expect(await carryOut([search])).toBe(false);
    expect(done).toEqual(['reserve round-new', 'give back round-new']);
  });

  it('that cannot be written gives its slot back', async () => {
    failure = new CodedError('STORE_BUSY', 'busy');
    await expect(carryOut([search])).rejects.toThrow('busy');
    expect(done).toEqual(['reserve round-new', 'give back round-new']);
  });

  it('keeps with the round who is ruled out, and why', async () => {
    const ruledOut = [{ provider: 'a', why: { code: 'said-no', data: { decline: 'PRICE' } } }] as const;
    await carryOut([{ ...search, exclude: ['a'], ruledOut }]);
    expect(commits).toMatchObject([{ search: { exclude: ['a'], ruledOut } }]);
  });

  it('is written before anybody outside hears of it', async () => {
    await carryOut([search]);
    expect(done).toEqual(['reserve round-new', 'commit', 'start round-new open']);
    expect(commits[0]?.events).toMatchObject([{ type: 'search.opened' }]);
  });

  it('without a free slot waits, Queued only when nothing of the job is alive', async () => {
    slots = 0;
    await carryOut([search]);
    expect(commits[0]).toMatchObject({ search: { state: 'waiting' }, job: { state: 'Queued' } });
    const running = executionOf(1, 1, 'b', observedAs.running());
    await carryOut([search], { executions: [running], state: 'Running' });
    expect(commits[1]?.search).toMatchObject({ state: 'waiting' });
    expect(commits[1]).not.toHaveProperty('job');
  });

  it('proposes what it has written down', async () => {
    const locked = executionOf(0, 1, 'a', observedAs.locked());
    await carryOut([run], { executions: [locked] });
    expect(commits[0]).toMatchObject({
      executions: [{ desired: 'Running', contractId: 'draft' }],
      contracts: [{ contractId: 'draft', state: 'PROPOSED' }],
      events: [{ type: 'contract.proposed', executionId: EXECUTION, provider: 'a' }],
    });
    expect(done).toEqual(['commit', `propose draft for ${EXECUTION}`]);
  });

  it('proposes in one step on an execution that it makes', async () => {
    const locked = executionOf(0, 1, 'a', observedAs.locked());
    await carryOut([{ kind: 'CreateExecution', execution: locked }, run]);
    expect(commits[0]?.events.map(({ type }) => type)).toEqual(['lock.acquired', 'contract.proposed']);
    expect(done).toEqual(['commit', `propose draft for ${EXECUTION}`]);
  });

  it('for a negotiation that went away meanwhile gives the execution up and asks again', async () => {
    draft = undefined;
    await carryOut([run], { executions: [executionOf(0, 1, 'a', observedAs.locked())] });
    expect(commits[0]?.executions).toMatchObject([
      { observed: { state: 'Failed', end: { exitReason: 'lost' } } },
    ]);
    expect(done).toEqual(['commit', 'evaluate exec-failure now']);
  });

  it('ends the contract of an execution that it ends', async () => {
    contracts.set('contract', contractOf('contract', { state: 'ACTIVE' }));
    const running = executionOf(0, 1, 'a', observedAs.running());
    const observed = observedAs.failed('lost', 'contract');
    await carryOut([{ kind: 'MarkLost', executionId: EXECUTION, observed }], { executions: [running] });
    expect(commits[0]).toMatchObject({
      contracts: [{ contractId: 'contract', state: 'TERMINATED' }],
      events: [{ type: 'execution.lost' }, { type: 'contract.terminated' }],
    });
    expect(done).toEqual(['commit', `forget ${EXECUTION}`]);
  });

  it('leaves a proposal without an answer as it is', async () => {
    contracts.set('open', contractOf('open', { state: 'PROPOSED' }));
    const proposed = executionOf(0, 1, 'a', observedAs.locked(), { contractId: 'open' });
    const stop: PlanAction = {
      kind: 'SetDesired',
      executionId: EXECUTION,
      desired: 'Stopped',
      observed: observedAs.cancelled('open'),
    };
    await carryOut([stop], { executions: [proposed] });
    expect(commits[0]?.contracts).toEqual([]);
    expect(commits[0]?.executions).toMatchObject([{ observed: { state: 'Cancelled' }, desired: 'Stopped' }]);
  });

  it('that ends the job frees everything that waits for it', async () => {
    const why = { code: 'job-not-planned', data: {} } as const;
    await carryOut([{ kind: 'SetJobState', state: 'Failed', why }]);
    expect(commits[0]).toMatchObject({
      job: { state: 'Failed', why },
      events: [{ type: 'job.failed', why }],
    });
    expect(done).toEqual(['commit', 'release job', 'finished Failed']);
  });

  it('closes a search that never got a slot', async () => {
    await carryOut([{ kind: 'CloseSearch', requestId: 'round-1' }], {
      search: roundOf([], { state: 'waiting' }),
    });
    expect(commits[0]?.search).toMatchObject({
      requestId: 'round-1',
      state: 'closed',
      closeReason: 'cancelled',
    });
    commits.length = 0;
    await carryOut([{ kind: 'CloseSearch', requestId: 'round-1' }], {
      search: roundOf([], { state: 'open' }),
    });
    expect(commits).toEqual([]);
    expect(done).toEqual(['commit', 'release job', 'settled', 'release job']);
  });

  it('that names an unknown execution is a fault', async () => {
    await expect(carryOut([run])).rejects.toMatchObject({ code: 'ASSERTION' });
  });
});
