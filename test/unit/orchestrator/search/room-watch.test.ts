import { beforeEach, describe, expect, it } from 'vitest';
import { RoomWatch } from '../../../../src/orchestrator/search/room-watch.ts';
import { FakeClock } from '../../../simulation/fake-clock.ts';
import { SeededRandom } from '../../../simulation/seeded-random.ts';
import { jobOf } from '../../fakes/market.ts';

let clock: FakeClock;
let woken: string[];
let watch: RoomWatch;

beforeEach(() => {
  clock = new FakeClock();
  woken = [];
  watch = new RoomWatch({
    clock,
    random: new SeededRandom('room'),
    evaluate: ({ id }) => woken.push(id),
  });
});

function wait(...ids: readonly string[]): void {
  for (const id of ids) watch.wait(jobOf({ id }), 0);
}

describe('the word of freed room', () => {
  it('reaches those that wait at once, in turn, and a few of them only', async () => {
    wait('a', 'b', 'c', 'd', 'e', 'f');
    watch.freed(false);
    await clock.advanceBy(1);
    expect(woken).toEqual(['a']);
    expect(watch.toldAt('a')).toBeDefined();
    expect(watch.toldAt('b')).toBeUndefined();
    await clock.advanceBy(1000);
    expect(woken).toEqual(['a', 'b', 'c', 'd']);
  });

  it('goes to the highest priority first, and once to each', async () => {
    wait('a', 'b');
    watch.wait(jobOf({ id: 'urgent', spec: { priority: 90 } }), 0);
    watch.freed(false);
    await clock.advanceBy(60);
    expect(woken).toEqual(['urgent', 'a']);
    // It has searched since: the word tells it nothing new.
    watch.wait(jobOf({ id: 'a' }), clock.livedMs());
    await clock.advanceBy(1000);
    expect(woken).toEqual(['urgent', 'a', 'b']);
  });

  it('makes no herd of however many words and jobs', async () => {
    wait(...Array.from({ length: 500 }, (_, index) => `job-${index}`));
    for (let word = 0; word < 100; word += 1) watch.freed(true);
    await clock.advanceBy(10_000);
    expect(woken).toHaveLength(16);
  });

  it('is kept for the next one that waits, and forgotten by one that searches', async () => {
    watch.freed(false);
    await clock.advanceBy(1000);
    wait('late');
    await clock.advanceBy(1);
    expect(woken).toEqual(['late']);
    watch.leave('late');
    expect(watch.toldAt('late')).toBeUndefined();
    wait('gone');
    watch.leave('gone');
    await clock.advanceBy(1000);
    expect(woken).toEqual(['late']);
  });

  it('is not for those who do not ask that provider', async () => {
    watch.wait(jobOf({ id: 'a' }), 0, ['bob']);
    wait('b');
    watch.freed(true, 'bob');
    await clock.advanceBy(1000);
    expect(woken).toEqual(['b']);
    watch.freed(true, 'carol');
    await clock.advanceBy(1000);
    expect(woken).toEqual(['b', 'a']);
  });

  it('is spread where everybody hears it', async () => {
    wait('a');
    watch.freed(true);
    await clock.advanceBy(200);
    expect(woken).toEqual(['a']);
    wait('b');
    watch.stop();
    await clock.advanceBy(1000);
    expect(woken).toEqual(['a']);
  });
});
