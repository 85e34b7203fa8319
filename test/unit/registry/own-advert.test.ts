import { describe, expect, it } from 'vitest';
import type { AdvertContent } from '../../../src/domain/market/advert.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';
import { resources, traits } from '../domain/market-values.ts';
import { defaultRegistryLimits } from '../../../src/registry/options.ts';
import { createScene, describing, peerNames, type Scene, SELF, storeOf } from './registry-scene.ts';

const PER_PEER_MS = defaultRegistryLimits.intervalPerPeerMs;

function gapsOf({ publisher }: Scene): readonly number[] {
  const times = publisher.published.map(({ atMs }) => atMs);
  return times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
}

async function started(scene: Scene, audience = 1): Promise<Scene> {
  scene.publisher.audience = audience;
  await scene.registry.start();
  return scene;
}

/** A node that knows a network of this size. */
async function large(size: number, describe: () => AdvertContent = describing): Promise<Scene> {
  const clock = new FakeClock();
  const store = storeOf(peerNames(size), clock.nowMs());
  return started(createScene({ describe, clock, store, limits: { maxPeers: size } }));
}

describe('the advert of this node', () => {
  it('goes out at once, soon again, and then at the interval of a small network', async () => {
    const scene = await started(createScene({ describe: describing }));
    expect(scene.publisher.published).toHaveLength(1);
    expect(scene.publisher.published[0]?.advert).toMatchObject({
      ...describing(),
      validForMs: 45_000,
      providerRecord: scene.publisher.peerRecord(),
    });
    await scene.clock.advanceBy(5 * 60_000);
    const [first, second, third, ...rest] = gapsOf(scene);
    expect([first, second, third].map((gap) => Math.round((gap ?? 0) / 3000))).toEqual([1, 2, 4]);
    expect(rest.length).toBeGreaterThanOrEqual(16);
    for (const gap of rest) expect(Math.abs(gap - 15_000)).toBeLessThanOrEqual(1500);
    expect(new Set(rest).size).toBeGreaterThan(1);
  });

  it('has a sequence that grows, also over restarts', async () => {
    const scene = await started(createScene({ describe: describing }));
    await scene.clock.advanceBy(60_000);
    await scene.registry.stop();
    await scene.clock.advanceBy(100);
    const next = await started(createScene({ describe: describing, clock: scene.clock }));
    const sequences = [...scene.publisher.published, ...next.publisher.published].map(
      ({ advert }) => advert.sequence,
    );
    expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b));
  });

  it.each([15, 75, 1000])('is told as seldom as a network of %i needs', async (size) => {
    const scene = await large(size);
    const wantedMs = Math.max(15_000, scene.registry.sizeEstimate() * PER_PEER_MS);
    await scene.clock.advanceBy(wantedMs * 4);
    const gaps = gapsOf(scene).slice(3);
    expect(gaps.length).toBeGreaterThanOrEqual(2);
    for (const gap of gaps) expect(Math.abs(gap / wantedMs - 1)).toBeLessThan(0.15);
    expect(Math.abs(wantedMs / Math.max(15_000, size * PER_PEER_MS) - 1)).toBeLessThan(0.3);
    const validForMs = scene.publisher.published[0]?.advert.validForMs ?? 0;
    expect(Math.abs(validForMs / (3 * wantedMs) - 1)).toBeLessThan(0.01);
  });

  it('follows a big change soon, and a small one with the next', async () => {
    let free = resources();
    const scene = createScene({
      describe: () => describing({ pools: { onboarded: resources(), free } }),
    });
    await started(scene);
    await scene.clock.advanceBy(120_000);
    const before = scene.publisher.published.length;
    const lastAtMs = scene.publisher.published.at(-1)?.atMs ?? 0;
    await scene.clock.advanceTo(lastAtMs + 1000);
    free = { ...free, cpuMillis: free.cpuMillis - 1 };
    await scene.clock.advanceTo(lastAtMs + 8000);
    expect(scene.publisher.published).toHaveLength(before);
    free = { ...free, cpuMillis: 0 };
    await scene.clock.advanceBy(2001);
    expect(scene.publisher.published).toHaveLength(before + 1);
    expect(scene.publisher.published.at(-1)?.advert.free.cpuMillis).toBe(0);
  });

  it('costs a bounded number of messages however often things change', async () => {
    let changes = 0;
    const scene = await large(1000, () => {
      changes += 1;
      return describing({ price: { amount: `${changes}`, currency: 'USD', per: 'hour' } });
    });
    await scene.clock.advanceBy(15_000_000);
    const intervals = 15_000_000 / (scene.registry.sizeEstimate() * PER_PEER_MS);
    expect(scene.publisher.published.length).toBeGreaterThan(2 * intervals);
    expect(scene.publisher.published.length).toBeLessThanOrEqual(4 * intervals + 2);
  });

  it('waits for somebody who listens, and welcomes who comes to a small network', async () => {
    const scene = await started(createScene({ describe: describing }), 0);
    await scene.clock.advanceBy(60_000);
    expect(scene.publisher.published).toEqual([]);
    scene.publisher.audience = 1;
    scene.registry.handler.audienceChanged();
    await scene.clock.advanceBy(1);
    expect(scene.publisher.published).toHaveLength(1);
    for (const audience of [2, 3, 4]) {
      scene.publisher.audience = audience;
      scene.registry.handler.audienceChanged();
    }
    await scene.clock.advanceBy(1900);
    expect(scene.publisher.published).toHaveLength(1);
    await scene.clock.advanceBy(101);
    expect(scene.publisher.published).toHaveLength(2);
  });

  it('does not speak up for each newcomer of a large network', async () => {
    const scene = await large(1000);
    scene.publisher.audience = 2;
    scene.registry.handler.audienceChanged();
    await scene.clock.advanceBy(20_000);
    expect(scene.publisher.published).toHaveLength(1);
  });

  it('ends with a farewell', async () => {
    const scene = await started(createScene({ describe: describing }));
    await scene.registry.stop();
    await scene.registry.stop();
    expect(scene.publisher.published.map(({ advert }) => advert.validForMs)).toEqual([45_000, 0]);
    await scene.clock.advanceBy(60_000);
    expect(scene.publisher.published).toHaveLength(2);
  });

  it('leaves long labels out rather than saying nothing', async () => {
    const labels = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`label-${index}`, 'x'.repeat(200)]),
    );
    const describe = () => describing({ traits: { ...traits, peerId: SELF, labels } });
    const scene = await started(createScene({ describe }));
    expect(scene.publisher.published[0]?.advert).toMatchObject({ labels: {}, engines: traits.engines });
  });

  it('goes on when one could not be published, and says nothing without a provider', async () => {
    const scene = createScene({ describe: describing });
    scene.publisher.refusing = true;
    await started(scene);
    scene.publisher.refusing = false;
    await scene.clock.advanceBy(30_000);
    expect(scene.publisher.published.length).toBeGreaterThan(0);
    for (const describe of [undefined, () => undefined]) {
      const silent = await started(createScene(describe === undefined ? {} : { describe }));
      await silent.clock.advanceBy(60_000);
      await silent.registry.stop();
      expect(silent.publisher.published).toEqual([]);
    }
  });
});
