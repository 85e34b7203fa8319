import { beforeEach, describe, expect, it } from 'vitest';
import { requirements } from '../domain/market-values.ts';
import { createScene, describing, type Scene } from './registry-scene.ts';

const NOBODY_ELSE = { fitting: [], mayBeMore: false };

let scene: Scene;

async function start(provides: boolean, meetUpTo = 4): Promise<void> {
  scene = createScene({ limits: { meetUpTo }, ...(provides ? { describe: describing } : {}) });
  await scene.registry.start();
}

/** So that the adverts of one peer are not too close to each other. */
async function heard(peer: string, sequence: number): Promise<void> {
  await scene.clock.advanceBy(31_000);
  expect(scene.take(peer, { sequence })).toBe('accept');
}

describe('a node of a small network', () => {
  beforeEach(() => start(false));

  it('connects to each provider that it hears of, as often as it hears of it, until it is connected', async () => {
    await heard('a', 1);
    await heard('a', 2);
    scene.publisher.connected.add('a');
    await heard('a', 3);
    expect(scene.publisher.met).toEqual(['a', 'a']);
  });

  it('does not connect to more than a small network has', async () => {
    for (const [index, peer] of ['a', 'b', 'c', 'd', 'e', 'f'].entries()) {
      await scene.clock.advanceBy(2000);
      scene.take(peer, { sequence: index });
    }
    expect(scene.publisher.met).toEqual(['a', 'b', 'c', 'd']);
  });

  it('knows who hears it only through others', async () => {
    await heard('a', 1);
    await heard('b', 2);
    scene.publisher.connected.add('b');
    expect(scene.registry.indirect(requirements())).toEqual({ fitting: ['a'], mayBeMore: false });
    expect(scene.registry.indirect(requirements(), { exclude: ['a'] })).toEqual(NOBODY_ELSE);
  });

  it('counts on who is out of reach only where nobody else can do it', async () => {
    scene.publisher.outOfReach = true;
    await heard('a', 1);
    await scene.clock.advanceBy(0);
    expect(scene.registry.indirect(requirements())).toEqual({ fitting: [], mayBeMore: true });
    scene.publisher.outOfReach = false;
    await heard('a', 2);
    await scene.clock.advanceBy(0);
    expect(scene.registry.indirect(requirements())).toEqual({ fitting: ['a'], mayBeMore: false });
  });

  it('counts on who was lost only where nobody else can do it, before it is heard again', async () => {
    await heard('a', 1);
    scene.registry.handler.peerDisconnected('a');
    expect(scene.registry.indirect(requirements())).toEqual({ fitting: [], mayBeMore: true });
    await heard('a', 2);
    expect(scene.registry.indirect(requirements()).fitting).toEqual(['a']);
  });

  it('may have missed some at first, and again when it was alone', async () => {
    const mayBeMore = (): boolean => scene.registry.indirect(requirements()).mayBeMore;
    const audienceIs = (size: number): void => {
      scene.publisher.audience = size;
      scene.registry.handler.audienceChanged();
    };
    expect(mayBeMore()).toBe(false);
    audienceIs(1);
    expect(mayBeMore()).toBe(true);
    await scene.clock.advanceBy(20_000);
    audienceIs(2);
    expect(mayBeMore()).toBe(false);
    audienceIs(0);
    audienceIs(1);
    expect(mayBeMore()).toBe(true);
  });
});

describe('two providers that hear of each other', () => {
  it('connect once: one goes first, and the other when nothing came of it', async () => {
    await start(true);
    // The name of this node comes before "z" and after "a".
    await heard('z', 1);
    await heard('a', 2);
    expect(scene.publisher.met).toEqual(['z']);
    await heard('a', 3);
    expect(scene.publisher.met).toEqual(['z', 'a']);
  });
});
