import { describe, expect, it } from 'vitest';
import { defaultContentLimits } from '../../../src/content/options.ts';
import { blockCount, failure, memoryNode, MIB, pattern, readBack, served, text } from './content-fixtures.ts';

const AFTER_MS = 60_000;
const TIMES = { collectAfterMs: AFTER_MS, collectEveryMs: 1000 };

async function passTime(node: { clock: { advanceBy(ms: number): Promise<void> } }): Promise<void> {
  await node.clock.advanceBy(AFTER_MS + 2000);
}

describe.each([
  ['in the database', defaultContentLimits.inlineObjectBytes],
  ['as files', 0],
])('collection of small blocks %s', (_where, inlineObjectBytes) => {
  const limits = { ...TIMES, inlineObjectBytes };

  it('takes what nobody keeps, when its time is over and not before', async () => {
    const node = await memoryNode({ limits });
    const { cid } = await node.store.put(pattern(2 * MIB));
    await node.clock.advanceBy(AFTER_MS - 1000);
    expect(await node.store.sizeOf(cid)).toBe(2 * MIB);
    await node.clock.advanceBy(3000);
    expect(await node.store.sizeOf(cid)).toBeUndefined();
    expect(await blockCount(node.disk)).toBe(0);
  });

  it('leaves what anybody keeps, until the last one lets go and a while longer', async () => {
    const node = await memoryNode({ limits });
    const { cid } = await node.store.put(text('kept'));
    await node.store.pin(cid, 'one');
    await node.store.pin(cid, 'two');
    await passTime(node);
    await node.store.unpin('one');
    await passTime(node);
    await node.store.unpin('two');
    expect(await readBack(node.store, cid)).toEqual(text('kept'));
    await passTime(node);
    expect(await node.store.sizeOf(cid)).toBeUndefined();
  });

  it('does not let what was kept stand in the way of what is to come', async () => {
    const node = await memoryNode({ limits: { ...limits, maxTotalBytes: 4 * MIB } });
    const { cid: uploaded } = await node.store.put(pattern(MIB, 1));
    const { cid: done } = await node.store.put(pattern(2 * MIB, 2));
    await node.store.pin(done, 'contract');
    await node.store.unpin('contract');
    await node.clock.advanceBy(2000);
    expect(await node.store.sizeOf(done)).toBeUndefined();
    // Somebody may be about to post the job of an upload.
    expect(await node.store.sizeOf(uploaded)).toBe(MIB);
    const { cid: small } = await node.store.put(pattern(MIB / 2, 3));
    await node.store.pin(small, 'contract');
    await node.store.unpin('contract');
    await node.clock.advanceBy(2000);
    expect(await node.store.sizeOf(small)).toBe(MIB / 2);
  });

  it('counts time from the last use', async () => {
    const node = await memoryNode({ limits });
    const { cid } = await node.store.put(text('used'));
    for (let round = 0; round < 4; round += 1) {
      await node.clock.advanceBy(AFTER_MS / 2);
      await readBack(node.store, cid);
    }
    expect(await node.store.sizeOf(cid)).toBe(4);
  });

  it('leaves the blocks that another object has', async () => {
    const node = await memoryNode({ limits });
    const shared = { path: 'shared', source: { bytes: text('shared') } };
    const kept = await node.store.importTree([shared]);
    await node.store.importTree([shared, { path: 'own', source: { bytes: text('own') } }]);
    await node.store.pin(kept.cid, 'job');
    await passTime(node);
    expect(await readBack(node.store, kept.cid, 'shared')).toEqual(text('shared'));
    expect(await blockCount(node.disk)).toBe(2);
  });

  it('leaves a part that is kept when the whole goes', async () => {
    const node = await memoryNode({ limits });
    const whole = await node.store.importTree([
      { path: 'part', source: { bytes: pattern(2 * MIB) } },
      { path: 'rest', source: { bytes: text('rest') } },
    ]);
    const [part] = await node.store.tree(whole.cid);
    await node.store.pin(part?.cid ?? '', 'job');
    await passTime(node);
    expect(await node.store.sizeOf(whole.cid)).toBeUndefined();
    expect(await node.store.sizeOf(part?.cid ?? '')).toBe(2 * MIB);
    expect(await served(node.store, part?.cid ?? '')).toHaveLength(3);
  });

  it('leaves what is being read', async () => {
    const node = await memoryNode({ limits });
    const { cid } = await node.store.put(pattern(2 * MIB));
    const reading = (await node.store.serve(cid))?.[Symbol.asyncIterator]();
    await reading?.next();
    await passTime(node);
    expect(await blockCount(node.disk)).toBe(3);
    await reading?.return?.();
    await passTime(node);
    expect(await blockCount(node.disk)).toBe(0);
  });

  it('leaves what is being put again', async () => {
    const node = await memoryNode({ limits });
    const bytes = pattern(2 * MIB);
    await node.store.put(bytes);
    let goOn = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const slow = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, MIB);
      await waiting;
      yield bytes.subarray(MIB);
    };
    const again = node.store.put(slow());
    await passTime(node);
    goOn();
    const { cid } = await again;
    expect(await served(node.store, cid)).toHaveLength(3);
  });

  it('can be followed at once by the same content', async () => {
    const node = await memoryNode({ limits });
    const { cid } = await node.store.put(text('again'));
    await passTime(node);
    const [put, read] = [await node.store.put(text('again')), await readBack(node.store, cid)];
    expect([put.cid, read]).toEqual([cid, text('again')]);
  });

  it('lets a block go before it is written again', async () => {
    const node = await memoryNode({ limits: { ...limits, inlineObjectBytes: 0 } });
    const { cid } = await node.store.put(text('again'));
    const remove = node.disk.files.delete.bind(node.disk.files);
    let goOn = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    node.disk.files.delete = async (key) => {
      await waiting;
      await remove(key);
    };
    await passTime(node);
    const again = node.store.put(text('again'));
    await node.clock.settle();
    expect([await node.store.sizeOf(cid), await blockCount(node.disk)]).toEqual([undefined, 1]);
    goOn();
    await again;
    expect(await readBack(node.store, cid)).toEqual(text('again'));
  });

  it('takes a bounded amount at a time', async () => {
    const node = await memoryNode({ limits: { ...limits, collectedBlocksPerRun: 2 } });
    for (let at = 0; at < 10; at += 1) await node.store.put(text(`${at}`));
    await node.clock.advanceBy(AFTER_MS + 500);
    const first = await blockCount(node.disk);
    await node.clock.advanceBy(1000);
    expect(first - (await blockCount(node.disk))).toBe(1);
    await node.clock.advanceBy(20_000);
    expect(await blockCount(node.disk)).toBe(0);
  });

  it('frees the space', async () => {
    const node = await memoryNode({ limits: { ...limits, maxTotalBytes: 10 } });
    await node.store.put(text('1234567890'));
    expect(await failure(node.store.put(text('x')))).toBe('QUOTA_EXCEEDED');
    await passTime(node);
    expect(await failure(node.store.put(text('x')))).toBe('none');
  });

  it('ends with the store', async () => {
    const node = await memoryNode({ limits });
    await node.store.put(text('a'));
    await node.store.stop();
    await passTime(node);
    expect(await blockCount(node.disk)).toBe(1);
  });
});
