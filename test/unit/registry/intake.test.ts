import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../simulation/fake-clock.ts';
import { createScene, peerNames, SELF, storeOf } from './registry-scene.ts';

const DAY_MS = 24 * 3_600_000;

describe('the peer table', () => {
  it('has the newest advert of each peer, until it is believed no longer', async () => {
    const { clock, registry, take, known } = createScene();
    expect(take('b', { sequence: 5 })).toBe('accept');
    expect(take('a', { validForMs: 10_000 })).toBe('accept');
    expect(known()).toEqual(['a', 'b']);
    await clock.advanceBy(9999);
    expect(take('b', { sequence: 6, draining: true })).toBe('accept');
    expect(known()).toEqual(['a', 'b']);
    expect(registry.peer('b')).toMatchObject({
      advert: { draining: true },
      receivedAt: clock.nowMs(),
      expiresAt: clock.nowMs() + 45_000,
    });
    await clock.advanceBy(1);
    expect(known()).toEqual(['b']);
    expect(registry.peer('a')).toBeUndefined();
    await clock.advanceBy(45_000);
    expect(known()).toEqual([]);
  });

  it('believes nobody for longer than a day', async () => {
    const { clock, takeOfConnected, known } = createScene();
    takeOfConnected('a', { validForMs: 300 * DAY_MS });
    await clock.advanceBy(DAY_MS - 1);
    expect(known()).toEqual(['a']);
    await clock.advanceBy(1);
    expect(known()).toEqual([]);
  });

  it('ignores what is not newer, and counts it', async () => {
    const { clock, registry, take } = createScene();
    take('a', { sequence: 5 });
    await clock.advanceBy(5000);
    expect(take('a', { sequence: 5, draining: true })).toBe('ignore');
    expect(take('a', { sequence: 4, draining: true })).toBe('ignore');
    expect(registry.peer('a')?.advert.draining).toBe(false);
    expect(registry.counters()).toMatchObject({ 'advert.taken': 1, 'advert.old': 2 });
  });

  it('does not believe a replay after the peer has left, and believes a clock that was set back later', async () => {
    const { clock, take, known } = createScene();
    take('a', { sequence: 5 });
    await clock.advanceBy(2000);
    take('a', { sequence: 6, validForMs: 0 });
    await clock.advanceBy(2000);
    expect(take('a', { sequence: 5 })).toBe('ignore');
    expect(known()).toEqual([]);
    await clock.advanceBy(10 * 60_000);
    expect(take('a', { sequence: 3 })).toBe('accept');
    expect(known()).toEqual(['a']);
  });

  it('takes one advert of a peer in a while, and a farewell at any time, once', async () => {
    const { clock, registry, take, known } = createScene();
    take('a', { sequence: 1 });
    expect(take('a', { sequence: 2 })).toBe('ignore');
    await clock.advanceBy(999);
    expect(take('a', { sequence: 3 })).toBe('ignore');
    await clock.advanceBy(1);
    expect(take('a', { sequence: 4 })).toBe('accept');
    expect(take('a', { sequence: 5, validForMs: 0 })).toBe('accept');
    expect(known()).toEqual([]);
    expect(take('a', { sequence: 6, validForMs: 0 })).toBe('ignore');
    expect(take('a', { sequence: 7 })).toBe('ignore');
    expect(registry.counters()).toMatchObject({
      'advert.taken': 2,
      'advert.left': 1,
      'advert.too-soon': 4,
    });
  });

  it('lets each peer speak more seldom where there are many', async () => {
    const clock = new FakeClock();
    const { registry, take } = createScene({ clock, store: storeOf(peerNames(133), clock.nowMs()) });
    await registry.start();
    expect(take('peer-1', { sequence: 1 })).toBe('ignore');
    expect(take('peer-1', { sequence: 2 })).toBe('accept');
    await clock.advanceBy(12_000);
    expect(take('peer-1', { sequence: 3 })).toBe('ignore');
    await clock.advanceBy(2000);
    expect(take('peer-1', { sequence: 3 })).toBe('accept');
  });

  it('rejects an advert that contradicts itself, and ignores its own', () => {
    const { registry, take, known } = createScene();
    const amounts = { cpuMillis: 1, memoryBytes: 1, diskBytes: 1, gpus: [] };
    expect(take('a', { onboarded: amounts, free: { ...amounts, cpuMillis: 2 } })).toBe('reject');
    expect(take(SELF)).toBe('ignore');
    expect(known()).toEqual([]);
    expect(registry.counters()).toMatchObject({ 'advert.inconsistent': 1, 'advert.own': 1 });
  });
});

describe('a full table', () => {
  it('has no more than its bound, always the same peers, and those that are connected or preferred', () => {
    const limits = { maxPeers: 20 };
    const scene = createScene({ limits, preferredPeers: ['peer-7'] });
    scene.publisher.connected.add('peer-150');
    const again = createScene({ limits, preferredPeers: ['peer-7'] });
    again.publisher.connected.add('peer-150');
    for (const peer of peerNames(200)) expect(scene.take(peer)).toBe('accept');
    for (const peer of peerNames(200).toReversed()) again.take(peer);
    expect(scene.known()).toHaveLength(20);
    expect(scene.known()).toEqual(again.known());
    expect(scene.known()).toEqual(expect.arrayContaining(['peer-7', 'peer-150']));
    expect(scene.registry.counters()).toMatchObject({ 'advert.taken': 200, 'advert.displaced': 180 });
  });

  it('is another sample on another node', () => {
    const first = createScene({ limits: { maxPeers: 20 }, seed: 'first' });
    const second = createScene({ limits: { maxPeers: 20 }, seed: 'second' });
    for (const peer of peerNames(200)) [first, second].map(({ take }) => take(peer));
    expect(first.known()).not.toEqual(second.known());
  });

  it('takes others in again as places become free', async () => {
    const { clock, registry, take, known } = createScene({ limits: { maxPeers: 10 } });
    await registry.start();
    for (const peer of peerNames(100)) take(peer, { validForMs: 20_000 });
    const before = known();
    await clock.advanceBy(30_000);
    for (const peer of peerNames(100, 'late')) take(peer);
    expect(known()).toHaveLength(10);
    expect(known().filter((peer) => before.includes(peer))).toEqual([]);
  });

  it('stays full of connected peers when those alone are too many', () => {
    const { publisher, take, known } = createScene({ limits: { maxPeers: 10 } });
    for (const peer of peerNames(12)) publisher.connected.add(peer);
    for (const peer of peerNames(12)) take(peer);
    take('stranger');
    expect(known()).toHaveLength(10);
    expect(known()).not.toContain('stranger');
  });
});
