import { describe, expect, it } from 'vitest';
import type { Advert, advertContent } from '../../../src/domain/market/advert.ts';
import type { GpuDevice } from '../../../src/domain/units/resources.ts';
import { device, GIB, requirements, resources, traits } from '../domain/market-values.ts';
import { createScene, describing, peerNames, type Scene, SELF } from './registry-scene.ts';

const asked = requirements({
  resources: { cpuMillis: 2000, memoryBytes: 4 * GIB, diskBytes: GIB, gpus: [] },
});

function told(over: Partial<Parameters<typeof advertContent>[0]> = {}): Partial<Advert> {
  return describing(over);
}

function machine(changes: Parameters<typeof resources>[0], free = changes): Partial<Advert> {
  return told({ pools: { onboarded: resources(changes), free: resources(free) } });
}

function priced(amount: string, currency = 'USD'): Partial<Advert> {
  return told({ price: { amount, currency, per: 'hour' } });
}

const budget = { amount: '0.10', currency: 'USD', per: 'hour' } as const;
const gpus = (count: number, changes: Partial<GpuDevice> = {}): readonly GpuDevice[] =>
  Array.from({ length: count }, (_, index) => device(index, changes));

const best = (scene: Scene, options: Parameters<Scene['registry']['candidates']>[1]): readonly string[] =>
  scene.registry.candidates(asked, options).map(({ peer }) => peer);

describe('candidates', () => {
  it('are those that fit, by soft constraints, spared devices, and room', () => {
    const scene = createScene();
    scene.take('tight', machine({ cpuMillis: 8000 }, { cpuMillis: 2000 }));
    scene.take('roomy', machine({ cpuMillis: 8000 }));
    scene.take('gpus', machine({ cpuMillis: 8000, gpus: gpus(1) }));
    scene.take('busy', machine({ cpuMillis: 8000 }, { cpuMillis: 1000 }));
    scene.take('liked', {
      ...machine({ cpuMillis: 8000, gpus: gpus(1) }, { cpuMillis: 2500, gpus: [] }),
      labels: { zone: 'b' },
    });
    scene.take('small', machine({ cpuMillis: 1000 }));
    scene.take('draining', { ...told(), draining: true });
    scene.take('other-engine', { ...told(), engines: { python: '3' } });
    const soft = [{ key: 'label.zone', operator: 'In' as const, values: ['b'], weight: 1 }];
    const found = scene.registry.candidates({ ...asked, constraints: { hard: [], soft } }, { limit: 10 });
    expect(found.map(({ peer, comparison }) => [peer, comparison.hardOk])).toEqual([
      ['liked', true],
      ['roomy', true],
      ['tight', true],
      ['gpus', true],
      ['busy', false],
    ]);
    expect(found[0]?.providerRecord).toEqual(new Uint8Array([1, 2, 3]));
  });

  it('are at most as many as asked for, without the excluded ones, the same each time', () => {
    const scene = createScene();
    for (const peer of peerNames(50)) scene.take(peer, told());
    const all = best(scene, { limit: 100 });
    expect(all).toHaveLength(50);
    expect(best(scene, { limit: 3 })).toEqual(all.slice(0, 3));
    expect(best(scene, { limit: 3, exclude: all.slice(0, 2) })).toEqual(all.slice(2, 5));
    const other = createScene({ seed: 'another node' });
    for (const peer of peerNames(50)) other.take(peer, told());
    expect(best(other, { limit: 3 })).not.toEqual(all.slice(0, 3));
  });

  it('are within the budget, the cheapest first', () => {
    const scene = createScene();
    scene.take('dear', priced('0.11'));
    scene.take('fair', priced('0.10'));
    scene.take('cheap', priced('0.01'));
    scene.take('foreign', priced('0.01', 'EUR'));
    expect(best(scene, { limit: 10, budget })).toEqual(['cheap', 'fair']);
    expect(best(scene, { limit: 10 })).toHaveLength(4);
  });

  it('include this node as it is now, where it may serve itself', () => {
    let draining = false;
    const scene = createScene({ describe: () => describing({ draining }) });
    expect(scene.registry.candidates(asked, { limit: 10 })).toMatchObject([
      { peer: SELF, providerRecord: scene.publisher.peerRecord(), comparison: { hardOk: true } },
    ]);
    expect(best(scene, { limit: 10, exclude: [SELF] })).toEqual([]);
    draining = true;
    expect(best(scene, { limit: 10 })).toEqual([]);
    const others = createScene({ describe: describing, ownJobs: false });
    expect(best(others, { limit: 10 })).toEqual([]);
  });

  it('cost a bounded number of comparisons, on the freshest adverts', async () => {
    const scene = createScene({ limits: { comparedPerCall: 5 } });
    for (const peer of peerNames(20)) scene.take(peer, told());
    expect([...best(scene, { limit: 20 })].sort()).toEqual(peerNames(20).slice(15).sort());
    await scene.clock.advanceBy(2000);
    scene.take('peer-0', { ...told(), sequence: 2 });
    expect(best(scene, { limit: 20 })).toContain('peer-0');
  });
});

describe('many candidates', () => {
  it('are not all compared when enough fit, and found among many that do not', () => {
    const scene = createScene();
    for (const peer of peerNames(300, 'zoned')) scene.take(peer, { ...told(), labels: { zone: 'b' } });
    for (const peer of peerNames(300, 'other')) scene.take(peer, { ...told(), labels: {} });
    const found = best(scene, { limit: 1000 });
    expect(found).toHaveLength(600);
    const few = best(scene, { limit: 200 });
    expect(few.every((peer) => peer.startsWith('other'))).toBe(true);
    const hard = [{ key: 'label.zone', operator: 'Exists' as const, values: [] }];
    const zoned = scene.registry.candidates({ ...asked, constraints: { hard, soft: [] } }, { limit: 5 });
    expect(zoned.map(({ peer }) => peer.startsWith('zoned'))).toEqual(Array.from({ length: 5 }, () => true));
  });
});

describe('an explanation', () => {
  const wantsGpu = requirements({
    resources: {
      cpuMillis: 2000,
      memoryBytes: GIB,
      diskBytes: GIB,
      gpus: [{ count: 1, vramBytes: 24 * GIB }],
    },
  });

  it('tells how many fit, what stood in the way, and the nearest miss', () => {
    const scene = createScene();
    for (const peer of peerNames(3)) scene.take(peer, machine({ gpus: gpus(1, { vramBytes: 16 * GIB }) }));
    scene.take('smaller', machine({ gpus: gpus(1, { vramBytes: 8 * GIB }) }));
    scene.take('without', machine({ gpus: [], cpuMillis: 1000 }));
    scene.take('busy', machine({ gpus: gpus(1) }, { gpus: [] }));
    scene.take('gone', { ...machine({ gpus: gpus(1) }), validForMs: 0 });
    const explanation = scene.registry.explain(wantsGpu);
    expect(explanation).toMatchObject({ known: 6, compared: 6, fitting: 0, busy: 1 });
    expect(explanation.nearest).toEqual({
      field: 'gpu.vram',
      required: '24 GiB',
      count: 4,
      alone: 4,
      best: '16 GiB',
      bestCount: 3,
    });
    expect(explanation.misses.map(({ field, count, alone }) => [field, count, alone])).toEqual([
      ['gpu.vram', 4, 4],
      ['gpu.count', 2, 1],
      ['cpu', 1, 0],
    ]);
    scene.take('large', machine({ gpus: gpus(1) }));
    expect(scene.registry.explain(wantsGpu)).toMatchObject({ known: 7, fitting: 1, fittingPeers: ['large'] });
  });

  it('names no nearest miss when more than one thing is missing everywhere', () => {
    const scene = createScene();
    scene.take('a', machine({ cpuMillis: 1000 }));
    const explanation = scene.registry.explain(wantsGpu);
    expect(explanation.misses).toHaveLength(2);
    expect(explanation).not.toHaveProperty('nearest');
  });

  it('counts price and draining among the reasons', () => {
    const scene = createScene();
    scene.take('dear', priced('0.30'));
    scene.take('less-dear', priced('0.20'));
    scene.take('foreign', priced('0.01', 'EUR'));
    scene.take('draining', { ...priced('0.01'), draining: true });
    const { misses, nearest, fitting } = scene.registry.explain(asked, { budget });
    expect(fitting).toBe(0);
    expect(nearest).toMatchObject({
      field: 'budget.maxPrice',
      count: 2,
      best: '0.2 USD per hour',
      bestCount: 1,
    });
    expect(misses.map(({ field, count }) => [field, count])).toEqual([
      ['budget.maxPrice', 2],
      ['budget.currency', 1],
      ['node.draining', 1],
    ]);
  });

  it('leaves excluded providers out and compares a bounded number', () => {
    const scene = createScene({ limits: { comparedPerCall: 4 }, describe: describing });
    for (const peer of peerNames(10)) scene.take(peer, told());
    expect(scene.registry.explain(asked)).toMatchObject({ known: 11, compared: 4, fitting: 4 });
    expect(scene.registry.explain(asked, { exclude: [SELF, ...peerNames(9)] })).toEqual({
      known: 1,
      compared: 1,
      fitting: 1,
      fittingPeers: ['peer-9'],
      busy: 0,
      misses: [],
      excluded: [SELF, 'peer-8', 'peer-7', 'peer-6'],
    });
    expect(createScene().registry.explain(asked)).toMatchObject({ known: 0, fitting: 0, misses: [] });
  });

  it('names the excluded providers that would fit, and counts none of them', () => {
    const scene = createScene({ describe: describing });
    for (const peer of peerNames(3)) scene.take(peer, told());
    scene.take('small', machine({ cpuMillis: 1000 }));
    const exclude = [SELF, 'small', 'unknown', ...peerNames(3)];
    expect(scene.registry.explain(asked, { exclude })).toEqual({
      known: 0,
      compared: 0,
      fitting: 0,
      busy: 0,
      misses: [],
      excluded: [SELF, ...peerNames(3).toReversed()],
    });
    expect(scene.registry.explain(asked, { exclude: ['small'] })).not.toHaveProperty('excluded');
  });

  it('speaks of each machine by its own traits', () => {
    const scene = createScene();
    scene.take('a', { ...told(), location: { country: 'DE' } });
    scene.take('b', { ...told({ traits: { ...traits, location: {} } }) });
    const hard = [
      { key: 'location.country', operator: 'In' as const, values: ['DE'] },
      { key: 'node.id', operator: 'In' as const, values: ['a'] },
    ];
    expect(scene.registry.explain({ ...asked, constraints: { hard, soft: [] } })).toMatchObject({
      fitting: 1,
    });
  });
});
