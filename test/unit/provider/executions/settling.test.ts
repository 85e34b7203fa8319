import { beforeEach, describe, expect, it } from 'vitest';
import { providerExecutionOf } from '../../fakes/provider-executions.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { LiveExecutions } from '../../../../src/provider/executions/live-executions.ts';
import { Hearing } from '../../../../src/provider/executions/hearing.ts';
import { OrphanWatch } from '../../../../src/provider/executions/orphan-watch.ts';
import { Settler } from '../../../../src/provider/executions/settler.ts';
import type { ProviderExecution } from '../../../../src/provider/ports.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';
import { contractOf, itemOf, REQUESTER } from '../../fakes/market.ts';
import { ScriptedProviderStore } from '../../fakes/provider-store.ts';
import { ScriptedContent } from './workshop.ts';

const ID = itemOf('Running').executionId;
const ORPHAN_AFTER_MS = 60_000;
const RETENTION_MS = 120_000;
const PERIOD_MS = 1000;

let clock: FakeClock;
let store: ScriptedProviderStore;
let live: LiveExecutions;
let content: ScriptedContent;
let stopped: string[];
let settler: Settler;
let orphans: OrphanWatch;
let hearing: Hearing;

beforeEach(async () => {
  clock = new FakeClock();
  store = new ScriptedProviderStore();
  live = new LiveExecutions(store, clock, () => 0);
  content = new ScriptedContent();
  stopped = [];
  const supervisor = {
    stop: (executionId: string, { exitReason }: { exitReason: string }) =>
      stopped.push(`${executionId} ${exitReason}`),
  };
  const needs = { clock, logger: silentLogger, live, store, content, supervisor };
  settler = new Settler(needs);
  hearing = new Hearing(clock);
  orphans = new OrphanWatch({ ...needs, hearing, settler, mostUnbegun: 2 });
  const terms = { orphanAfterMs: ORPHAN_AFTER_MS, retentionMs: RETENTION_MS };
  await store.commit({ contracts: [contractOf('contract', { state: 'ACTIVE' }, terms)] });
});

async function keep(
  state: ProviderExecution['item']['state'],
  changes: Partial<ProviderExecution> = {},
): Promise<ProviderExecution> {
  const execution: ProviderExecution = providerExecutionOf(itemOf(state), clock.nowMs(), changes);
  await store.commit({ executions: [execution] });
  await content.pin('result', 'contract');
  live.add(execution);
  return execution;
}

const contractState = () => store.contracts.get('contract')?.state;

describe('what a requester wants', () => {
  it.each([
    ['Publishing', 'done', 'COMPLETED'],
    ['Publishing', 'stop', 'TERMINATED'],
    ['Failed', 'done', 'TERMINATED'],
    ['Cancelled', 'stop', 'TERMINATED'],
  ] as const)('%s and %s: the contract is %s, and nothing is kept', async (state, desired, expected) => {
    await keep(state);
    settler.want(REQUESTER, ID, 1, desired);
    await clock.settle();
    expect(contractState()).toBe(expected);
    expect(store.executions.size).toBe(0);
    expect(live.get(ID)).toBeUndefined();
    expect(content.pins).toEqual([]);
    expect(stopped).toEqual([]);
  });

  it.each(['BidAccepted', 'Running'] as const)('%s and stop or done: the work ends first', async (state) => {
    await keep(state);
    settler.want(REQUESTER, ID, 1, 'stop');
    settler.want(REQUESTER, ID, 1, 'done');
    await clock.settle();
    expect(stopped).toEqual([`${ID} cancelled`, `${ID} cancelled`]);
    expect(live.get(ID)).toBeDefined();
  });

  it('run changes nothing, and neither does the word of others', async () => {
    await keep('Failed');
    settler.want(REQUESTER, ID, 1, 'run');
    settler.want('another', ID, 1, 'stop');
    settler.want(REQUESTER, ID, 2, 'stop');
    settler.want(REQUESTER, 'unknown', 1, 'stop');
    await clock.settle();
    expect(live.get(ID)).toBeDefined();
    expect(contractState()).toBe('ACTIVE');
  });

  it('is done before a node that stops goes on', async () => {
    await keep('Publishing');
    settler.want(REQUESTER, ID, 1, 'done');
    let isIdle = false;
    const idle = settler.idle().then(() => (isIdle = true));
    expect(isIdle).toBe(false);
    await clock.settle();
    await idle;
    expect(contractState()).toBe('COMPLETED');
    expect(store.executions.size).toBe(0);
  });

  it('said twice is done once', async () => {
    await keep('Publishing');
    settler.want(REQUESTER, ID, 1, 'done');
    settler.want(REQUESTER, ID, 1, 'stop');
    await clock.settle();
    expect(contractState()).toBe('COMPLETED');
    expect(
      store.commits.filter(({ forgottenExecutionIds }) => forgottenExecutionIds !== undefined),
    ).toHaveLength(1);
  });

  it('can be said again when it could not be done', async () => {
    await keep('Publishing');
    content.unpinning = Promise.reject(new Error('disk'));
    settler.want(REQUESTER, ID, 1, 'done');
    await clock.settle();
    expect(live.get(ID)?.settled).toBe(true);
    content.unpinning = Promise.resolve();
    settler.want(REQUESTER, ID, 1, 'done');
    await clock.settle();
    expect(live.get(ID)).toBeUndefined();
    expect(contractState()).toBe('COMPLETED');
  });
});

describe('orphans', () => {
  beforeEach(() => orphans.start(PERIOD_MS));

  it('work of a requester that is out of reach for too long is ended', async () => {
    await keep('Running');
    hearing.heard(REQUESTER);
    await clock.advanceBy(ORPHAN_AFTER_MS - PERIOD_MS);
    expect(stopped).toEqual([]);
    await clock.advanceBy(PERIOD_MS);
    expect(stopped).toEqual([`${ID} lost`]);
  });

  it('work of a requester that is heard of goes on', async () => {
    await keep('Running');
    for (let minute = 0; minute < 10; minute += 1) {
      hearing.heard(REQUESTER);
      await clock.advanceBy(ORPHAN_AFTER_MS - PERIOD_MS);
    }
    expect(stopped).toEqual([]);
  });

  it('after a restart a requester gets the whole time again', async () => {
    await keep('Running');
    await clock.advanceBy(ORPHAN_AFTER_MS);
    expect(stopped).toEqual([]);
    await clock.advanceBy(PERIOD_MS);
    expect(stopped).toEqual([`${ID} lost`]);
  });

  it('a result that nobody fetches is kept for the agreed time, and no longer', async () => {
    await keep('Publishing');
    hearing.heard(REQUESTER);
    await clock.advanceBy(RETENTION_MS);
    expect(live.get(ID)).toBeDefined();
    await clock.advanceBy(2 * PERIOD_MS);
    expect(live.get(ID)).toBeUndefined();
    expect(content.pins).toEqual([]);
    expect(contractState()).toBe('TERMINATED');
  });

  it('of what never began the newest ends are told, so many of them and no more', async () => {
    for (const number of [2, 3, 4, 5]) {
      const contract = contractOf(`contract-${number}`, { state: 'ACCEPTED' }, { retentionMs: RETENTION_MS });
      await store.commit({ contracts: [contract] });
      const executionId = `job.v1.p0r0.a${number}`;
      const item = itemOf('Failed', { executionId, contractId: `contract-${number}`, finishedAt: number });
      await keep('Failed', { item });
    }
    await keep('Failed', { item: itemOf('Failed', { startedAt: 0, finishedAt: 0 }) });
    hearing.heard(REQUESTER);
    await clock.advanceBy(2 * PERIOD_MS);
    const left = live.all().map(({ item }) => item.finishedAt);
    expect(new Set(left)).toEqual(new Set([0, 4, 5]));
    expect(store.contracts.get('contract-2')).toMatchObject({
      state: 'TERMINATED',
      why: { code: 'never-begun' },
    });
  });

  it('after stop nothing is looked at', async () => {
    await keep('Running');
    orphans.stop();
    await clock.advanceBy(10 * ORPHAN_AFTER_MS);
    expect(stopped).toEqual([]);
    expect(store.commits).toHaveLength(2);
  });
});
