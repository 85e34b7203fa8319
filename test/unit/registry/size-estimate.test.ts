import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { peerHash } from '../../../src/registry/peer-hash.ts';
import { SizeSketch } from '../../../src/registry/size-sketch.ts';
import { SeededRandom } from '../../simulation/seeded-random.ts';
import { createScene, describing, peerNames } from './registry-scene.ts';

const BASE_MS = 15_000;
const PER_PEER_MS = 200;

interface Joiner {
  readonly sketch: SizeSketch;
  readonly salt: Uint8Array;
}

function joiner(seed: number, capacity = 1024): Joiner {
  return { sketch: new SizeSketch(capacity, BASE_MS), salt: new SeededRandom(seed).bytes(16) };
}

function hear({ sketch, salt }: Joiner, peer: string, atMs: number, intervalMs: number): void {
  const hash = peerHash(salt, peer);
  sketch.add({ peer, hash, deadlineMs: atMs + 3 * intervalMs, intervalMs, fromBefore: false }, atMs);
}

/** What a node hears of a network whose members keep to their interval. */
function listen(node: Joiner, size: number, forMs: number, seed: number): void {
  const random = new SeededRandom(`phases ${seed}`);
  const intervalMs = Math.max(BASE_MS, size * PER_PEER_MS);
  const heard: [string, number][] = [];
  for (const peer of peerNames(size, `${seed}`)) {
    for (let atMs = random.between(0, intervalMs); atMs < forMs; atMs += intervalMs) heard.push([peer, atMs]);
  }
  for (const [peer, atMs] of heard.sort(([, a], [, b]) => a - b)) hear(node, peer, atMs, intervalMs);
}

const off = (estimate: number, size: number): number => Math.abs(estimate / size - 1);

describe('the size of the network', () => {
  test.prop([fc.integer({ min: 10, max: 10_000 }), fc.nat()], { numRuns: 30 })(
    'is known within 30 % when everybody was heard',
    (size, seed) => {
      const node = joiner(seed);
      for (const peer of peerNames(size, `${seed}`)) hear(node, peer, 0, BASE_MS);
      expect(off(node.sketch.estimate(1), size)).toBeLessThan(0.3);
    },
  );

  it('is counted exactly while the sample holds everybody', () => {
    const node = joiner(1, 64);
    for (const peer of peerNames(64)) hear(node, peer, 0, BASE_MS);
    expect(node.sketch.estimate(1)).toBe(64);
  });

  it.each([300, 1000, 3000, 10_000])('is known within 30 %% before everybody was heard, of %i', (size) => {
    for (const seed of [1, 2, 3]) {
      const node = joiner(seed);
      listen(node, size, 60_000, seed);
      expect(off(node.sketch.estimate(60_000), size)).toBeLessThan(0.3);
    }
  });

  it('is not blown up by nodes that all start together', () => {
    const node = joiner(1);
    for (const peer of peerNames(2000)) hear(node, peer, 100, BASE_MS);
    for (const peer of peerNames(2000)) hear(node, peer, 15_000, 2000 * PER_PEER_MS);
    expect(off(node.sketch.estimate(15_001), 2000)).toBeLessThan(0.3);
  });

  it('is not blown up by a few that claim to stand for many', () => {
    const node = joiner(1);
    for (const peer of peerNames(20)) hear(node, peer, 0, BASE_MS);
    for (const peer of peerNames(5, 'liar')) hear(node, peer, 0, 8 * 3_600_000);
    expect(node.sketch.estimate(1)).toBeLessThanOrEqual(20 + 5 * 15);
  });

  it('follows a network that shrinks', () => {
    const node = joiner(1, 256);
    for (const peer of peerNames(8000)) hear(node, peer, 0, BASE_MS);
    for (let atMs = 10_000; atMs < 400_000; atMs += 10_000) {
      for (const peer of peerNames(100)) hear(node, peer, atMs, BASE_MS);
      node.sketch.expire(atMs);
    }
    expect(off(node.sketch.estimate(400_000), 100)).toBeLessThan(0.3);
  });

  it.each([300, 1000, 4000])('is known all along, of a network of %i that goes on', async (size) => {
    const { clock, registry, take } = createScene();
    const intervalMs = size * 1500;
    const random = new SeededRandom(`going on ${size}`);
    let worst = 0;
    const next = peerNames(size).map((peer) => ({ peer, atMs: random.between(0, intervalMs), sequence: 0 }));
    for (let minute = 1; minute <= 120; minute += 1) {
      for (const one of next) {
        if (one.atMs > minute * 60_000) continue;
        one.sequence += 1;
        take(one.peer, { validForMs: 3 * intervalMs, sequence: one.sequence });
        one.atMs += intervalMs * random.between(0.9, 1.1);
      }
      await clock.advanceBy(60_000);
      if (minute >= 5) worst = Math.max(worst, off(registry.sizeEstimate(), size));
    }
    expect(worst).toBeLessThan(0.3);
  });

  it('is at least who is connected, counts this node, and does not stop at the table', async () => {
    const { clock, publisher, registry, take } = createScene({
      limits: { maxPeers: 50 },
      describe: describing,
    });
    expect(registry.sizeEstimate()).toBe(1);
    publisher.providers = 7;
    await clock.advanceBy(1000);
    expect(registry.sizeEstimate()).toBe(8);
    for (const peer of peerNames(700)) take(peer);
    await clock.advanceBy(1000);
    expect(registry.peers()).toHaveLength(50);
    expect(registry.sizeEstimate()).toBe(701);
  });
});

describe('where a peer falls', () => {
  it('is spread evenly, and another place with another secret', () => {
    const [salt, other] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)];
    const hashes = peerNames(4000).map((peer) => peerHash(salt, peer));
    for (const edge of [0.1, 0.5, 0.9]) {
      expect(Math.abs(hashes.filter((hash) => hash < edge).length / 4000 - edge)).toBeLessThan(0.03);
    }
    expect(peerHash(salt, 'peer')).not.toBe(peerHash(other, 'peer'));
  });
});
