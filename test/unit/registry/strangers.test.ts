import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { requirements } from '../domain/market-values.ts';
import { createScene, describing, peerNames, type Scene } from './registry-scene.ts';

const HOUR_MS = 3_600_000;
const NOBODY = { strangersDue: 0, newcomersDue: 0, silent: [] };

/** A registry that has been in touch with `seen` providers and knows as many `fakes` by their adverts. */
function mixed(seen: number, fakes: number): Scene {
  const scene = createScene();
  for (const peer of peerNames(seen, 'seen')) {
    scene.take(peer);
    scene.registry.answered(peer, false);
  }
  for (const peer of peerNames(fakes, 'fake')) scene.take(peer, { validForMs: 24 * HOUR_MS });
  return scene;
}

describe('providers that are known by their adverts alone', () => {
  test.prop([fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 3000 })], { numRuns: 20 })(
    'are never asked by name, and push nobody out who is known by more',
    (seen, fakes) => {
      const { registry } = mixed(seen, fakes);
      const asked = registry.acquainted(requirements(), { limit: 8 });
      expect(asked).toHaveLength(Math.min(8, seen));
      expect(asked.every((peer) => peer.startsWith('seen'))).toBe(true);
      const direct = registry.candidates(requirements(), { limit: 10 }).map(({ peer }) => peer);
      expect(direct.filter((peer) => peer.startsWith('seen')).length).toBeGreaterThanOrEqual(
        Math.min(5, seen),
      );
      expect(registry.peers().filter(({ peerId }) => peerId.startsWith('seen'))).toHaveLength(seen);
    },
  );

  it('make the network no larger once they should have answered and did not', async () => {
    const { clock, registry } = mixed(5, 600);
    await clock.advanceBy(1000);
    expect(registry.sizeEstimate()).toBeGreaterThan(500);
    for (const due of [8, 40, 200, 250]) registry.asked({ ...NOBODY, strangersDue: due });
    expect(registry.sizeEstimate()).toBeLessThan(32);
    expect(registry.explain(requirements()).known).toBe(5);
    expect(registry.strangers()).toMatchObject({ standing: 'silent', known: 5 });
  });

  it('make it as large as they say as long as they answer', async () => {
    const { clock, registry } = mixed(5, 600);
    await clock.advanceBy(1000);
    for (let request = 0; request < 20; request += 1) {
      registry.asked({ ...NOBODY, strangersDue: 8 });
      for (let answer = 0; answer < 6; answer += 1) registry.answered(`fake-${request * 6 + answer}`, true);
    }
    expect(registry.strangers().standing).toBe('proven');
    expect(registry.sizeEstimate()).toBeGreaterThan(500);
  });

  it('are forgotten after minutes, and believed the longer the longer they are known', async () => {
    const { clock, take, known } = createScene();
    take('once', { validForMs: 24 * HOUR_MS });
    take('again', { validForMs: 24 * HOUR_MS });
    await clock.advanceBy(10 * 60_000);
    expect(known()).toEqual([]);
    await clock.advanceBy(50 * 60_000);
    take('again', { validForMs: 24 * HOUR_MS, sequence: 2 });
    await clock.advanceBy(HOUR_MS - 1);
    expect(known()).toEqual(['again']);
    await clock.advanceBy(1);
    expect(known()).toEqual([]);
  });

  it('are dialled no faster than a few a minute once there were many', async () => {
    const { clock, publisher, take, registry } = createScene({ describe: describing });
    for (let minute = 0; minute < 10; minute += 1) {
      for (const peer of peerNames(30, `fake-${minute}`)) {
        take(peer);
        take(peer, { sequence: 2 });
        registry.asked({ ...NOBODY, strangersDue: 256 });
      }
      await clock.advanceBy(60_000);
    }
    expect(publisher.met.length).toBeLessThanOrEqual(32 + 60);
  });

  it('are waited for where they have just come, and not as a crowd', async () => {
    const { clock, publisher, registry, take } = createScene();
    publisher.audience = 1;
    registry.handler.audienceChanged();
    for (const peer of peerNames(10)) take(peer);
    publisher.outOfReach = false;
    expect(registry.indirect(requirements()).fitting).toHaveLength(10);
    await clock.advanceBy(20_000);
    expect(registry.indirect(requirements()).fitting).toEqual([]);
    await clock.advanceBy(60_000);
    for (const peer of peerNames(3, 'new')) take(peer);
    expect(registry.indirect(requirements()).fitting).toHaveLength(3);
    registry.asked({ ...NOBODY, silent: ['new-0'] });
    expect(registry.indirect(requirements()).fitting).toHaveLength(2);
  });
});

describe('whom a search waits for', () => {
  it('is who answers, for a moment who is new, and not who was silent', async () => {
    const { clock, publisher, registry } = createScene();
    publisher.connected.add('new');
    registry.answered('old', false);
    expect([registry.patienceWith('old'), registry.patienceWith('new')]).toEqual(['full', 'brief']);
    registry.asked({ ...NOBODY, silent: ['old'] });
    expect(registry.patienceWith('old')).toBe('none');
    await clock.advanceBy(30_000);
    expect(registry.patienceWith('old')).toBe('full');
    registry.asked({ ...NOBODY, silent: ['old'] });
    await clock.advanceBy(59_000);
    expect(registry.patienceWith('old')).toBe('none');
    registry.answered('old', false);
    expect(registry.patienceWith('old')).toBe('full');
    registry.asked({ ...NOBODY, newcomersDue: 6 });
    expect(registry.patienceWith('new')).toBe('none');
  });
});

describe('a newcomer that is silent', () => {
  it('keeps one search waiting at a time', async () => {
    const { clock, publisher, registry } = createScene();
    publisher.connected.add('new');
    expect([1, 2, 3].map(() => registry.patienceWith('new'))).toEqual([
      'brief',
      'brief-elsewhere',
      'brief-elsewhere',
    ]);
    await clock.advanceBy(1000);
    expect(registry.patienceWith('new')).toBe('brief');
    registry.answered('new', false);
    expect(registry.patienceWith('new')).toBe('full');
  });
});

describe('bidders that have kept no contract', () => {
  it('are trusted until several of them broke their word, and again once others kept it', async () => {
    const { clock, registry } = createScene();
    for (const peer of peerNames(2)) registry.broke(peer);
    expect(registry.isWary()).toBe(false);
    registry.broke('third');
    expect(registry.isWary()).toBe(true);
    registry.kept('a');
    expect([registry.isWary(), registry.hasKept('a'), registry.hasKept('b')]).toEqual([false, true, false]);
    for (const peer of peerNames(4)) registry.broke(peer);
    expect(registry.isWary()).toBe(true);
    await clock.advanceBy(60 * 60_000);
    expect(registry.isWary()).toBe(false);
  });

  it('are on trial one at a time, whatever their names, until one has kept its word or a moment is over', async () => {
    const { clock, registry } = createScene();
    const onTrial = (): boolean[] => ['a', 'b', 'c'].map((peer) => registry.isOnTrial(peer));
    registry.kept('c');
    registry.taken('a');
    expect(onTrial()).toEqual([true, true, false]);
    registry.kept('a');
    expect(onTrial()).toEqual([false, false, false]);
    registry.taken('b');
    await clock.advanceBy(10_000);
    expect(onTrial()).toEqual([false, false, false]);
  });

  it('keep their like waiting for a minute when one did not stand by its word', async () => {
    const { clock, registry } = createScene();
    registry.taken('a');
    registry.broke('a');
    await clock.advanceBy(59_000);
    expect(registry.isOnTrial('b')).toBe(true);
    await clock.advanceBy(1000);
    expect(registry.isOnTrial('b')).toBe(false);
  });

  it('make nobody wary by what those do that kept some', () => {
    const { registry } = createScene();
    registry.kept('a');
    for (let time = 0; time < 20; time += 1) registry.broke('a');
    expect(registry.isWary()).toBe(false);
  });
});
