import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GateWorld, LIMITS, SELF } from './gate-world.ts';

const times = <T>(count: number, act: () => T): T[] => Array.from({ length: count }, act);
const UNLIMITED = { burst: 1e6, perSecond: 1e6 } as const;

describe("a requester's rate", () => {
  it('lets a burst in, then as many as come back', () => {
    const world = new GateWorld();
    expect(times(3, () => world.ask('a'))).toEqual(['in', 'in', 'in']);
    expect(world.ask('a')).not.toBe('in');
    world.clock.advance(1000);
    expect(world.ask('a')).toBe('in');
    expect(world.ask('a')).not.toBe('in');
  });

  it('is told with the time until the next one would be let in', () => {
    const world = new GateWorld();
    times(3, () => world.ask('a'));
    world.clock.advance(250);
    const refusal = world.ask('a');
    expect(refusal).toMatchObject({ code: 'RATE_LIMITED', retryable: true, retryAfterMs: 750 });
    world.clock.advance(749);
    expect(world.ask('a')).not.toBe('in');
    world.clock.advance(1);
    expect(world.ask('a')).toBe('in');
  });

  it('is told once in a while and not each time', () => {
    const world = new GateWorld();
    times(3, () => world.ask('a'));
    expect(times(4, () => world.ask('a')).map((answer) => typeof answer)).toEqual([
      'object',
      ...times(3, () => 'string'),
    ]);
    expect(world.ask('a')).toBe('unheard');
  });

  it('is told to so many requesters in a time and no more', () => {
    const world = new GateWorld({ requestsInTotal: { burst: 100, perSecond: 1 } });
    const told = ['a', 'b', 'c', 'd', 'e'].filter((requester) => {
      times(3, () => world.ask(requester));
      return world.ask(requester) !== 'unheard';
    });
    expect(told).toEqual(['a', 'b', 'c']);
  });

  it('is spent by repeats and notices too', () => {
    const world = new GateWorld();
    times(3, () => world.gate.heard('a'));
    expect(world.ask('a')).toMatchObject({ code: 'RATE_LIMITED' });
  });

  it('is larger for an established requester, and starts afresh when the requester becomes one', () => {
    const world = new GateWorld({ requestsPerEstablished: { burst: 4, perSecond: 1 } });
    times(4, () => world.ask('a'));
    world.gate.kept('a');
    expect(times(4, () => world.ask('a'))).toEqual(times(4, () => 'in'));
    expect(world.ask('a')).not.toBe('in');
  });

  it('of this very node is not limited', () => {
    const world = new GateWorld();
    expect(new Set(times(50, () => world.ask(SELF)))).toEqual(new Set(['in']));
    expect(world.ask('a')).toBe('in');
  });
});

describe('the standing that a name is given before its signature is checked', () => {
  it('costs whoever bears the name nothing', () => {
    const world = new GateWorld();
    times(1000, () => world.gate.standing('a'));
    expect(times(3, () => world.ask('a'))).toEqual(['in', 'in', 'in']);
  });

  it('is shut when the rate is used up and no decline is due', () => {
    const world = new GateWorld();
    expect(world.gate.standing('a')).toBe('stranger');
    times(3, () => world.ask('a'));
    // One more would still be told why.
    expect(world.gate.standing('a')).toBe('stranger');
    world.ask('a');
    expect(world.gate.standing('a')).toBe('shut');
    expect(world.gate.standing('b')).toBe('stranger');
    world.clock.advance(1000);
    expect(world.gate.standing('a')).toBe('stranger');
  });

  it('is shut for who is not served, but for a reason now and then', () => {
    const world = new GateWorld();
    world.denied.add('a');
    expect(world.gate.standing('a')).toBe('stranger');
    expect(world.ask('a')).toMatchObject({ code: 'POLICY', retryable: false });
    expect(world.gate.standing('a')).toBe('shut');
    expect(world.ask('a')).toBe('unheard');
  });

  it('is shut after messages over the rate that nobody looked into', () => {
    for (const seen of ['heard', 'unheard'] as const) {
      const world = new GateWorld();
      times(3, () => world.gate.heard('a'));
      expect(world.gate.standing('a')).toBe('stranger');
      world.gate[seen]('a');
      expect(world.gate.standing('a')).toBe('shut');
    }
  });

  it('is shut for strangers when all of them together have used up what they may', () => {
    const world = new GateWorld();
    world.gate.kept('established');
    for (let index = 0; index < 20; index += 1) world.ask(`stranger-${index}`);
    expect(world.gate.standing('another')).toBe('shut');
    expect(world.gate.standing('established')).toBe('established');
    world.clock.advance(500);
    expect(world.gate.standing('another')).toBe('stranger');
  });

  it('of this node is never shut', () => {
    expect(new GateWorld().gate.standing(SELF)).toBe('established');
  });
});

describe('the rate of all together', () => {
  it('is shared by strangers', () => {
    const world = new GateWorld();
    const answers = ['a', 'b', 'c', 'd', 'e', 'f'].map((requester) => world.ask(requester));
    expect(answers.slice(0, 5)).toEqual(times(5, () => 'in'));
    expect(answers[5]).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 500 });
  });

  it('gives each stranger a part of it, and an established requester more', () => {
    const world = new GateWorld({ answersPerStranger: { burst: 2, perSecond: 1 } });
    expect(times(2, () => world.ask('a'))).toEqual(['in', 'in']);
    expect(world.ask('a')).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 1000 });
    expect(world.ask('b')).toBe('in');
    world.gate.kept('established');
    expect(times(3, () => world.ask('established'))).toEqual(times(3, () => 'in'));
  });

  it('leaves a share for those who kept a contract', () => {
    const world = new GateWorld();
    world.gate.kept('established');
    for (let index = 0; index < 100; index += 1) world.ask(`stranger-${index}`);
    expect(world.gate.standing('established')).toBe('established');
    expect(times(3, () => world.ask('established'))).toEqual(['in', 'in', 'in']);
  });

  it('keeps no share for an established requester that lost its reputation', () => {
    const world = new GateWorld();
    world.gate.kept('established');
    world.reputations.set('established', 499);
    for (let index = 0; index < 100; index += 1) world.ask(`stranger-${index}`);
    expect(world.gate.standing('established')).toBe('shut');
    expect(world.ask('established')).not.toBe('in');
  });

  it('is not spent by who is not served', () => {
    const world = new GateWorld();
    world.denied.add('denied');
    times(100, () => world.ask('denied'));
    expect(times(3, () => world.ask('a'))).toEqual(['in', 'in', 'in']);
  });

  it('lets regulars use what is open to all when their own share is used up', () => {
    const world = new GateWorld({ requestsPerEstablished: UNLIMITED });
    world.gate.kept('established');
    expect(times(9, () => world.ask('established'))).toEqual(times(9, () => 'in'));
    expect(world.ask('established')).not.toBe('in');
  });
});

it('forgets the requester that was silent longest, and the oldest regular', () => {
  const world = new GateWorld({ requestsInTotal: UNLIMITED });
  times(3, () => world.ask('a'));
  for (let index = 0; index < LIMITS.rememberedRequesters; index += 1) world.ask(`stranger-${index}`);
  expect(world.ask('a')).toBe('in');
  for (const peer of ['r1', 'r2', 'r3']) world.gate.kept(peer);
  expect(['r1', 'r2', 'r3'].filter((peer) => world.gate.isEstablished(peer))).toEqual(['r2', 'r3']);
});

it('never lets more in than the rates allow, whatever comes when', () => {
  const act = fc.record({
    requester: fc.constantFrom('a', 'b', 'c', 'd', 'established'),
    waitMs: fc.integer({ min: 0, max: 700 }),
  });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
      const world = new GateWorld();
      world.gate.kept('established');
      const admitted = new Map<string, number>();
      let elapsedMs = 0;
      for (const { requester, waitMs } of acts) {
        world.clock.advance(waitMs);
        elapsedMs += waitMs;
        if (world.ask(requester) === 'in') admitted.set(requester, (admitted.get(requester) ?? 0) + 1);
      }
      const most = ({ burst, perSecond }: { burst: number; perSecond: number }): number =>
        burst + (perSecond * elapsedMs) / 1000;
      for (const count of admitted.values())
        expect(count).toBeLessThanOrEqual(most(LIMITS.requestsPerRequester));
      const regular = admitted.get('established') ?? 0;
      const total = [...admitted.values()].reduce((sum, count) => sum + count, 0);
      expect(total - regular).toBeLessThanOrEqual(most(LIMITS.requestsInTotal));
      expect(total).toBeLessThanOrEqual(most(LIMITS.requestsInTotal) + most(LIMITS.requestsOfEstablished));
    }),
    { numRuns: 200 },
  );
});
