import { describe, expect, it } from 'vitest';
import { identityOf } from '../../../src/identity/key-pair.ts';
import { createNotary } from '../../../src/identity/notary.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { createRegistry, type Registry } from '../../../src/registry/index.ts';
import { defaultRegistryLimits } from '../../../src/registry/options.ts';
import { openStore, type Store } from '../../../src/store/index.ts';
import { MemoryDisk } from '../../simulation/memory-disk.ts';
import { defaultStoreLimits } from '../../../src/store/options.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';
import { SeededRandom } from '../../simulation/seeded-random.ts';
import { requirements } from '../domain/market-values.ts';
import * as sample from '../messages/samples.ts';
import {
  createScene,
  peerNames,
  type Scene,
  ScriptedPublisher,
  ScriptedStore,
  SELF,
  signedBy,
} from './registry-scene.ts';

const DAY_MS = 24 * 3_600_000;

async function again({ clock, store }: Scene, limits: { maxPeers?: number } = {}): Promise<Scene> {
  const next = createScene({ clock, store, limits });
  await next.registry.start();
  return next;
}

describe('the table over restarts', () => {
  it('keeps what is still believed, for what is left of its time', async () => {
    const scene = createScene();
    await scene.registry.start();
    scene.takeOfConnected('short', { validForMs: 30_000 });
    scene.takeOfConnected('long', { validForMs: 600_000, sequence: 7 });
    scene.takeOfConnected('left', { validForMs: 600_000 });
    await scene.registry.stop();
    expect([...scene.store.stored.keys()].sort()).toEqual(['left', 'long', 'short']);
    const expiresAt = scene.registry.peer('long')?.expiresAt;
    await scene.clock.advanceBy(100_000);
    const next = await again(scene);
    expect(next.known()).toEqual(['left', 'long']);
    expect(next.registry.peer('long')).toMatchObject({ expiresAt, advert: { sequence: 7 } });
    expect(next.take('long', { sequence: 7 })).toBe('ignore');
    expect(next.take('left', { sequence: 2, validForMs: 0 })).toBe('accept');
    await next.registry.stop();
    expect([...next.store.stored.keys()]).toEqual(['long']);
    await next.clock.advanceBy(500_000);
    expect(next.known()).toEqual([]);
  });

  it('gives nobody more time because the clock was set back', async () => {
    const scene = createScene();
    const evidence = signedBy('a', { validForMs: 60_000 });
    scene.store.stored.set('a', { evidence, receivedAt: scene.clock.nowMs() + 3_600_000 });
    await scene.registry.start();
    expect(scene.known()).toEqual(['a']);
    await scene.clock.advanceBy(60_000);
    expect(scene.known()).toEqual([]);
  });

  it('does not put what is on disk over what came meanwhile', async () => {
    const scene = createScene();
    scene.store.stored.set('a', {
      evidence: signedBy('a', { sequence: 3 }),
      receivedAt: scene.clock.nowMs(),
    });
    scene.take('a', { sequence: 4, draining: true });
    await scene.registry.start();
    expect(scene.registry.peer('a')?.advert).toMatchObject({ sequence: 4, draining: true });
  });

  it('fits into a smaller table, and cleans up behind itself', async () => {
    const scene = createScene();
    await scene.registry.start();
    for (const peer of peerNames(30)) scene.takeOfConnected(peer, { validForMs: 3_600_000 });
    await scene.registry.stop();
    const next = await again(scene, { maxPeers: 15 });
    expect(next.known()).toHaveLength(15);
    await next.registry.stop();
    expect([...next.store.stored.keys()].sort()).toEqual([...next.known()].sort());
  });

  it('leaves out who was only just heard of, and believes the others no longer than they are known', async () => {
    const scene = createScene();
    await scene.registry.start();
    scene.take('made up', { validForMs: DAY_MS });
    scene.take('heard again', { validForMs: DAY_MS });
    await scene.clock.advanceBy(9 * 60_000);
    scene.take('heard again', { validForMs: DAY_MS, sequence: 2 });
    await scene.clock.advanceBy(9 * 60_000);
    scene.take('heard again', { validForMs: DAY_MS, sequence: 3 });
    expect(scene.known()).toEqual(['heard again']);
    scene.take('made up lately', { validForMs: DAY_MS });
    await scene.registry.stop();
    const next = await again(scene);
    expect(next.known()).toEqual(['heard again']);
    await next.clock.advanceBy(18 * 60_000 - 1);
    expect(next.known()).toEqual(['heard again']);
    await next.clock.advanceBy(1);
    expect(next.known()).toEqual([]);
  });

  it('knows again whom it had been in touch with, and who kept a contract', async () => {
    const scene = createScene();
    await scene.registry.start();
    scene.takeOfConnected('kept', { validForMs: DAY_MS });
    scene.takeOfConnected('met', { validForMs: DAY_MS });
    scene.registry.kept('kept');
    await scene.registry.stop();
    const next = await again(scene);
    const asked = next.registry.acquainted(requirements(), { limit: 5 });
    expect(asked).toEqual(['kept', 'met']);
    expect(next.registry.patienceWith('kept')).toBe('full');
  });

  it('reads rows that say nothing of how long they are known', async () => {
    const scene = createScene();
    const evidence = signedBy('of old', { validForMs: DAY_MS });
    scene.store.stored.set('of old', { evidence, receivedAt: scene.clock.livedMs() - 60_000 });
    await scene.registry.start();
    expect(scene.known()).toEqual(['of old']);
    await scene.clock.advanceBy(9 * 60_000);
    expect(scene.known()).toEqual([]);
  });
});

describe('writing', () => {
  it('is put off, and done in batches', async () => {
    const scene = createScene({ limits: { persistBatch: 40 } });
    await scene.registry.start();
    for (const peer of peerNames(100)) scene.takeOfConnected(peer, { validForMs: 3_600_000 });
    await scene.clock.advanceBy(59_000);
    expect(scene.store.writes).toBe(0);
    await scene.clock.advanceBy(1000);
    expect([scene.store.writes, scene.store.stored.size]).toEqual([1, 40]);
    await scene.registry.stop();
    expect([scene.store.writes, scene.store.stored.size]).toEqual([3, 100]);
  });

  it('forgets who expired', async () => {
    const scene = createScene();
    await scene.registry.start();
    scene.takeOfConnected('a', { validForMs: 90_000 });
    await scene.clock.advanceBy(60_000);
    expect([...scene.store.stored.keys()]).toEqual(['a']);
    await scene.clock.advanceBy(60_000);
    expect([...scene.store.stored.keys()]).toEqual([]);
  });

  it('is tried again after a failure, and a node starts and stops without its disk', async () => {
    const store = new ScriptedStore();
    store.failing = true;
    const scene = createScene({ store });
    await scene.registry.start();
    scene.takeOfConnected('a', { validForMs: 3_600_000 });
    await scene.clock.advanceBy(60_000);
    store.failing = false;
    await scene.clock.advanceBy(60_000);
    expect([...store.stored.keys()]).toEqual(['a']);
    store.failing = true;
    scene.take('a', { sequence: 2, validForMs: 0 });
    await scene.registry.stop();
    expect([...store.stored.keys()]).toEqual(['a']);
  });
});

describe('the table on a real store', () => {
  it('comes back with its signatures', async () => {
    const clock = new FakeClock();
    const disk = new MemoryDisk({ clock, random: new SeededRandom('disk') });
    const notary = createNotary(identityOf(new Uint8Array(32).fill(1)), 'testnet', clock);
    const publisher = new ScriptedPublisher(clock);
    const open = async (): Promise<{ store: Store; registry: Registry }> => {
      const store = await openStore(
        { folder: 'memory', contentFolder: 'memory', limits: defaultStoreLimits },
        { clock, logger: silentLogger, database: await disk.open() },
      );
      const registry = createRegistry(
        { ownJobs: true, preferredPeers: [], limits: defaultRegistryLimits },
        {
          clock,
          random: new SeededRandom('registry'),
          logger: silentLogger,
          self: SELF,
          store: store.adverts,
          publisher,
          notary,
        },
      );
      await registry.start();
      return { store, registry };
    };
    const close = async ({ store, registry }: Awaited<ReturnType<typeof open>>): Promise<void> => {
      await registry.stop();
      await store.stop();
    };
    publisher.connected.add(notary.self);
    const first = await clock.runUntilSettled(open(), 10_000);
    const advert = notary.sign('advert', sample.advert({ validForMs: 600_000 }));
    first.registry.handler.take(advert);
    await clock.runUntilSettled(close(first), 10_000);
    const second = await clock.runUntilSettled(open(), 10_000);
    expect(second.registry.peer(notary.self)?.advert).toEqual(advert.value);
    expect(await clock.runUntilSettled(second.store.adverts.load(10), 1000)).toEqual([
      {
        evidence: advert,
        receivedAt: expect.any(Number),
        knownSince: expect.any(Number),
        touch: 1,
      },
    ]);
    await clock.advanceBy(700_000);
    await clock.runUntilSettled(close(second), 10_000);
    const third = await clock.runUntilSettled(open(), 10_000);
    expect(await clock.runUntilSettled(third.store.adverts.load(10), 1000)).toEqual([]);
    await clock.runUntilSettled(close(third), 10_000);
  });
});
