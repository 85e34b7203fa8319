import { beforeEach, describe, expect, it } from 'vitest';
import { providerExecutionOf } from '../../fakes/provider-executions.ts';
import { BehaviourHistory } from '../../../../src/domain/trust/behaviour-history.ts';
import { defaultStrikeLimits } from '../../../../src/domain/trust/strike-history.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { RequesterHistory } from '../../../../src/provider/behaviour/requester-history.ts';
import { LiveExecutions } from '../../../../src/provider/executions/live-executions.ts';
import { Hearing } from '../../../../src/provider/executions/hearing.ts';
import { OrphanWatch } from '../../../../src/provider/executions/orphan-watch.ts';
import type { ProviderExecution } from '../../../../src/provider/ports.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';
import { contractOf, itemOf, REQUESTER } from '../../fakes/market.ts';
import { ScriptedProviderStore } from '../../fakes/provider-store.ts';
import { newDisk, openTestStore } from '../../fakes/stores.ts';

const ORPHAN_AFTER_MS = 60_000;
const RETENTION_MS = 120_000;

describe('the history of requesters', () => {
  it('lowers who abandons contracts or cannot be reached, and forgives who keeps the next ones', async () => {
    const clock = new FakeClock();
    const disk = newDisk(clock);
    const { store } = await openTestStore(clock, disk);
    const needs = { clock, strikes: store.strikes.againstRequesters, logger: silentLogger };
    const strikes = new BehaviourHistory(defaultStrikeLimits, needs);
    const history = new RequesterHistory(strikes);
    history.abandoned('a');
    history.unreachable('b');
    expect([history.of('a'), history.of('b'), history.of('c')]).toEqual([500, 800, 1000]);
    expect(strikes.behaviourOf('a').strikes).toMatchObject([{ kind: 'contract-abandoned', count: 1 }]);
    history.kept('b');
    expect(history.of('b')).toBe(1000);
    await clock.runUntilSettled(history.stop(), 1000);
    const again = new RequesterHistory(new BehaviourHistory(defaultStrikeLimits, needs));
    await clock.runUntilSettled(again.start(), 1000);
    expect(again.of('a')).toBeLessThanOrEqual(501);
    expect(again.of('b')).toBe(1000);
    await clock.runUntilSettled(store.stop(), 1000);
  });
});

describe('a contract that its requester leaves alone', () => {
  let clock: FakeClock;
  let live: LiveExecutions;
  let orphans: OrphanWatch;
  let hearing: Hearing;
  let abandoned: string[];

  beforeEach(async () => {
    clock = new FakeClock();
    abandoned = [];
    const store = new ScriptedProviderStore();
    live = new LiveExecutions(store, clock, () => 0);
    hearing = new Hearing(clock);
    orphans = new OrphanWatch({
      hearing,
      mostUnbegun: 10,
      clock,
      logger: silentLogger,
      live,
      store,
      supervisor: { stop: () => {} },
      settler: { settle: () => {} },
      onAbandoned: (requester) => abandoned.push(requester),
    });
    const terms = { orphanAfterMs: ORPHAN_AFTER_MS, retentionMs: RETENTION_MS };
    await store.commit({ contracts: [contractOf('contract', { state: 'ACTIVE' }, terms)] });
    orphans.start(1000);
  });

  function keep(state: ProviderExecution['item']['state']): void {
    live.add(providerExecutionOf(itemOf(state), clock.nowMs()));
  }

  it.each([
    ['Running', ORPHAN_AFTER_MS],
    ['Publishing', RETENTION_MS],
  ] as const)('is told once when it is %s, after the agreed time', async (state, afterMs) => {
    keep(state);
    await clock.advanceBy(afterMs - 2000);
    expect(abandoned).toEqual([]);
    await clock.advanceBy(10_000);
    expect(abandoned).toEqual([REQUESTER]);
  });

  it('is no matter where there is no result to take, or the requester is heard', async () => {
    keep('Failed');
    await clock.advanceBy(RETENTION_MS * 2);
    expect(abandoned).toEqual([]);
    keep('Running');
    for (let heard = 0; heard < 20; heard += 1) {
      hearing.heard(REQUESTER);
      await clock.advanceBy(10_000);
    }
    expect(abandoned).toEqual([]);
    orphans.stop();
  });
});
