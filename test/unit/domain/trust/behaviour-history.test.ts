import { describe, expect, it } from 'vitest';
import { BehaviourHistory, type StrikeStore } from '../../../../src/domain/trust/behaviour-history.ts';
import { defaultStrikeLimits, type StrikeChange } from '../../../../src/domain/trust/strike-history.ts';
import type { PeerStrikes } from '../../../../src/domain/trust/strikes.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';
import { newDisk, openTestStore } from '../../fakes/stores.ts';

class KeptStrikes implements StrikeStore {
  readonly writes: StrikeChange[] = [];
  stored: readonly PeerStrikes[] = [];
  failure: Error | undefined;

  load(): Promise<readonly PeerStrikes[]> {
    return this.failure === undefined ? Promise.resolve(this.stored) : Promise.reject(this.failure);
  }

  write(change: StrikeChange): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.writes.push(change);
    return Promise.resolve();
  }
}

function scene() {
  const clock = new FakeClock();
  const strikes = new KeptStrikes();
  const live = new BehaviourHistory(defaultStrikeLimits, { clock, strikes, logger: silentLogger });
  return { clock, strikes, live };
}

const peersOf = ({ kept, forgotten }: StrikeChange): string[] => [
  ...kept.map(({ peer }) => peer),
  ...forgotten.map((peer) => `-${peer}`),
];

describe('the behaviour history', () => {
  it('writes what changed a while later, all in one', async () => {
    const { clock, strikes, live } = scene();
    live.strike('a', 'lock-timeout');
    await clock.advanceBy(defaultStrikeLimits.writeDelayMs - 1);
    live.strike('b', 'late-result');
    expect(strikes.writes).toEqual([]);
    await clock.advanceBy(1);
    expect(strikes.writes.map(peersOf)).toEqual([['a', 'b']]);
    await clock.advanceBy(defaultStrikeLimits.writeDelayMs);
    expect(strikes.writes).toHaveLength(1);
    expect(live.behaviourOf('a').score).toBeLessThan(1000);
    expect(live.behaviourOf('a').strikes).toEqual([
      { kind: 'lock-timeout', count: 1, lastAt: strikes.writes[0]?.kept[0]?.at },
    ]);
  });

  it('writes at once when it stops, also who is forgiven', async () => {
    const { clock, strikes, live } = scene();
    live.strike('a', 'declined-after-bid');
    await clock.advanceBy(defaultStrikeLimits.writeDelayMs);
    live.good('a');
    await live.stop();
    expect(strikes.writes.map(peersOf)).toEqual([['a'], ['-a']]);
    expect(live.behaviourOf('a').score).toBe(1000);
  });

  it('works on from what it knows when nothing can be read or written', async () => {
    const { clock, strikes, live } = scene();
    strikes.failure = new Error('the disk is gone');
    await live.start();
    live.strike('a', 'lost-execution');
    await clock.advanceBy(defaultStrikeLimits.writeDelayMs);
    expect(live.behaviourOf('a').strikes).toHaveLength(1);
    strikes.failure = undefined;
    live.strike('b', 'lost-execution');
    await live.stop();
    expect(strikes.writes.map(peersOf)).toEqual([['b']]);
  });

  it('is there again after a restart, with each role by itself, and goes on decaying', async () => {
    const clock = new FakeClock();
    const disk = newDisk(clock);
    const first = await openTestStore(clock, disk);
    const { againstProviders, againstRequesters } = first.store.strikes;
    const books = [againstProviders, againstRequesters].map(
      (strikes) => new BehaviourHistory(defaultStrikeLimits, { clock, strikes, logger: silentLogger }),
    );
    books[0]?.strike('a', 'bad-result');
    books[1]?.strike('b', 'lost-execution');
    for (const live of books) await clock.runUntilSettled(live.stop(), 1000);
    disk.crash();

    await clock.advanceBy(defaultStrikeLimits.halfLifeMs);
    const second = await openTestStore(clock, disk);
    const again = new BehaviourHistory(defaultStrikeLimits, {
      clock,
      strikes: second.store.strikes.againstProviders,
      logger: silentLogger,
    });
    await clock.runUntilSettled(again.start(), 1000);
    expect([again.behaviourOf('a').score, again.behaviourOf('b').score]).toEqual([501, 1000]);
    expect(again.behaviourOf('a').strikes).toMatchObject([{ kind: 'bad-result', count: 1 }]);
    await clock.runUntilSettled(second.store.stop(), 1000);
  });
});
