import { fc, it } from '@fast-check/vitest';
import { UnixFS } from 'ipfs-unixfs';
import { CID } from 'multiformats/cid';
import { describe, expect } from 'vitest';
import { sameBytes } from '../../../src/lib/canonical.ts';
import { CodedError } from '../../../src/lib/coded-error.ts';
import {
  blockCount,
  failure,
  fetchFrom,
  file,
  folder,
  leaf,
  memoryNode,
  MIB,
  node,
  type Node,
  ORIGIN,
  pattern,
  readBack,
  served,
  text,
} from './content-fixtures.ts';

/** A tree with files of one and of several blocks, one of them there twice. */
async function sample() {
  const { store } = await memoryNode();
  const { cid, bytes } = await store.importTree([
    { path: 'stdout', source: { bytes: text('hello\n') } },
    { path: 'outputs/large', source: { bytes: pattern(2 * MIB + 9) } },
    { path: 'outputs/same', source: { bytes: pattern(2 * MIB + 9) } },
    { path: 'outputs/small', source: { bytes: text('small') } },
  ]);
  return { cid, bytes, blocks: await served(store, cid) };
}

const given = sample();

/** The code a fetch of `root` from these blocks ends with, and what a refusal leaves behind: nothing. */
async function outcome(
  root: string | CID,
  blocks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  maxBytes?: number,
): Promise<string> {
  const receiver = await memoryNode();
  receiver.transport.offer(blocks);
  const cid = root.toString();
  const code = await failure(fetchFrom(receiver, cid, maxBytes));
  const found = [await receiver.store.sizeOf(cid), await receiver.store.serve(cid)];
  const left = (await blockCount(receiver.disk)) + found.filter((part) => part !== undefined).length;
  return code === 'none' || left === 0 ? code : `${code}, and something is left`;
}

function blocksOf(...nodes: readonly Node[]): Uint8Array[] {
  return nodes.map(({ block }) => block);
}

describe('fetching', () => {
  it('brings the whole tree, each block once', async () => {
    const { cid, bytes, blocks } = await given;
    const receiver = await memoryNode();
    receiver.transport.offer(blocks);
    expect(await fetchFrom(receiver, cid, bytes)).toEqual({ bytes });
    expect(sameBytes(await readBack(receiver.store, cid, 'outputs/same'), pattern(2 * MIB + 9))).toBe(true);
    expect(Buffer.concat(await served(receiver.store, cid)).equals(Buffer.concat(blocks))).toBe(true);
    expect(await blockCount(receiver.disk)).toBe(blocks.length);
  });

  it('tells of each block that came and is the right one', async () => {
    const { cid, blocks } = await given;
    const receiver = await memoryNode();
    receiver.transport.offer([...blocks.slice(0, 3), text('another'), ...blocks.slice(3)]);
    const told: number[] = [];
    const { signal } = new AbortController();
    const fetching = receiver.store.fetch(cid, ORIGIN, 64 * MIB, signal, (bytes) => told.push(bytes));
    expect(await failure(fetching)).toBe('CONTENT_INVALID');
    expect(told).toEqual(blocks.slice(0, 3).map(({ length }) => length));
  });

  it('does not ask for what is here', async () => {
    const { cid, bytes, blocks } = await given;
    const receiver = await memoryNode();
    receiver.transport.offer(blocks);
    await fetchFrom(receiver, cid);
    expect(await fetchFrom(receiver, cid)).toEqual({ bytes });
    const [entry] = await receiver.store.tree(cid);
    await fetchFrom(receiver, entry?.cid ?? '');
    expect(receiver.transport.asked).toEqual([cid]);
    expect(await failure(fetchFrom(receiver, cid, bytes - 1))).toBe('CONTENT_TOO_LARGE');
  });

  it('can be done twice at once', async () => {
    const { cid, bytes, blocks } = await given;
    const receiver = await memoryNode();
    receiver.transport.offer(blocks);
    const both = await Promise.all([fetchFrom(receiver, cid), fetchFrom(receiver, cid)]);
    expect(both).toEqual([{ bytes }, { bytes }]);
    expect(Buffer.concat(await served(receiver.store, cid)).equals(Buffer.concat(blocks))).toBe(true);
  });

  it('needs no timer and no thread', async () => {
    const { cid, blocks } = await given;
    const receiver = await memoryNode();
    receiver.transport.offer(blocks);
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    await fetchFrom(receiver, cid);
    await receiver.store.pin(cid, 'job');
    expect(turned).toBe(false);
  });
});

describe('a stream that lies', () => {
  it.prop([fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 })])(
    'is refused for one changed byte',
    async (which, where, by) => {
      const { cid, blocks } = await given;
      const block = which % blocks.length;
      const changed = blocks.map((bytes, at) => {
        if (at !== block) return bytes;
        const copy = bytes.slice();
        const place = where % copy.length;
        copy[place] = (copy[place] ?? 0) ^ by;
        return copy;
      });
      expect(await outcome(cid, changed)).toBe('CONTENT_INVALID');
    },
  );

  it.prop([fc.nat(), fc.nat()])('is refused for two blocks in the wrong order', async (one, other) => {
    const { cid, blocks } = await given;
    const [a, b] = [one % blocks.length, other % blocks.length];
    fc.pre(a !== b);
    const reordered = blocks.map(
      (block, at) => (at === a ? blocks[b] : at === b ? blocks[a] : block) ?? block,
    );
    expect(await outcome(cid, reordered)).toBe('CONTENT_INVALID');
  });

  it.prop([fc.nat()])('is refused when it ends early', async (length) => {
    const { cid, blocks } = await given;
    expect(await outcome(cid, blocks.slice(0, length % blocks.length))).toBe('CONTENT_UNAVAILABLE');
  });

  it.prop([fc.nat()])('is refused when a block is missing from the middle', async (which) => {
    const { cid, blocks } = await given;
    const missing = which % (blocks.length - 1);
    expect(await outcome(cid, blocks.toSpliced(missing, 1))).toBe('CONTENT_INVALID');
  });

  it.prop([fc.nat(), fc.nat()])('is refused for a block that comes twice', async (which, where) => {
    const { cid, blocks } = await given;
    const again = blocks[which % blocks.length] ?? new Uint8Array();
    expect(await outcome(cid, blocks.toSpliced(where % (blocks.length + 1), 0, again))).toBe(
      'CONTENT_INVALID',
    );
  });

  it.prop([fc.nat(), fc.uint8Array({ maxLength: 64 })])(
    'is refused for a block that does not belong to it',
    async (where, block) => {
      const { cid, blocks } = await given;
      const extra = blocks.toSpliced(where % (blocks.length + 1), 0, block);
      expect(await outcome(cid, extra)).toBe('CONTENT_INVALID');
    },
  );

  it('is refused for a block that is too large, even when it is the right one', async () => {
    const large = leaf(pattern(MIB + 1));
    expect(await outcome(large.cid, [large.block])).toBe('CONTENT_INVALID');
  });
});

describe('content of a wrong shape', () => {
  const small = leaf(text('small'));
  const empty = folder();

  it.each([
    ['a link', node(new UnixFS({ type: 'symlink', data: text('/etc/passwd') })), []],
    ['a shard', node(new UnixFS({ type: 'hamt-sharded-directory', fanout: 256n, hashType: 0x22n })), []],
    ['metadata', node(new UnixFS({ type: 'metadata', data: text('x') })), []],
    ['a name that leads upwards', folder(['..', small]), [small]],
    ['a name with a slash', folder(['a/b', small]), [small]],
    ['no name', folder(['', small]), [small]],
    ['a name twice', folder(['a', small], ['a', empty]), [small, empty]],
    ['a folder inside a file', file([empty], [0]), [empty]],
    ['a size that is too small', file([small], [4]), [small]],
    ['a size that is too large', file([small], [6]), [small]],
    ['no size for a part', file([small], []), [small]],
  ])('is refused: %s', async (_, root, children) => {
    expect(await outcome(root.cid, blocksOf(root, ...children))).toBe('CONTENT_INVALID');
    const around = folder(['inside', root]);
    expect(await outcome(around.cid, blocksOf(around, root, ...children))).toBe('CONTENT_INVALID');
  });

  it('is refused: bytes that are no node', async () => {
    const bytes = pattern(100);
    const cid = CID.createV1(0x70, leaf(bytes).cid.multihash);
    expect(await outcome(cid, [bytes])).toBe('CONTENT_INVALID');
  });

  it('is refused: a link to a block of another kind', async () => {
    const other: Node = { cid: CID.createV1(0x71, small.cid.multihash), block: small.block };
    const root = folder(['a', other]);
    expect(await outcome(root.cid, blocksOf(root, other))).toBe('CONTENT_INVALID');
  });

  it('is refused: folders without end', async () => {
    const chain = [small];
    for (let depth = 0; depth < 100; depth += 1) chain.unshift(folder(['a', chain[0] ?? small]));
    expect(await outcome(chain[0]?.cid ?? '', blocksOf(...chain))).toBe('CONTENT_INVALID');
  });

  it.each([
    '',
    'nonsense',
    'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG',
    CID.createV1(0x71, small.cid.multihash).toString(),
  ])('is not asked for by the id %j', async (cid) => {
    const receiver = await memoryNode();
    expect(await failure(fetchFrom(receiver, cid))).toBe('CONTENT_INVALID');
    expect(receiver.transport.asked).toEqual([]);
  });
});

describe('too much content', () => {
  it.prop([fc.nat()])('is refused at the bound, wherever that is', async (bound) => {
    const { cid, bytes, blocks } = await given;
    expect(await outcome(cid, blocks, bound % bytes)).toBe('CONTENT_TOO_LARGE');
  });

  it('counts what a few blocks stand for, not what they weigh', async () => {
    const levels = [leaf(pattern(MIB))];
    let size = MIB;
    for (let level = 0; level < 5; level += 1) {
      const below = levels[0] ?? leaf(new Uint8Array());
      levels.unshift(
        file(
          Array.from({ length: 100 }, () => below),
          Array.from({ length: 100 }, () => size),
        ),
      );
      size *= 100;
    }
    expect(await outcome(levels[0]?.cid ?? '', blocksOf(...levels))).toBe('CONTENT_TOO_LARGE');
  });

  it('counts entries in the same way', async () => {
    const levels = [leaf(new Uint8Array())];
    for (let level = 0; level < 20; level += 1) {
      const below = levels[0] ?? leaf(new Uint8Array());
      levels.unshift(folder(['a', below], ['b', below], ['c', below]));
    }
    expect(await outcome(levels[0]?.cid ?? '', blocksOf(...levels))).toBe('CONTENT_TOO_LARGE');
  });

  it('stops a root that tells of more than is allowed before anything else comes', async () => {
    const small = leaf(text('small'));
    const root = file([small], [MIB]);
    const stream = async function* (): AsyncGenerator<Uint8Array> {
      yield root.block;
      throw new Error('asked for more');
    };
    expect(await outcome(root.cid, stream(), 1000)).toBe('CONTENT_TOO_LARGE');
  });

  it('bounds structure without content', async () => {
    const receiver = await memoryNode({ limits: { maxObjectBlocks: 3 } });
    const { cid, blocks } = await given;
    receiver.transport.offer(blocks);
    expect(await failure(fetchFrom(receiver, cid))).toBe('CONTENT_TOO_LARGE');
  });
});

describe('a stream that breaks', () => {
  it.each(['PEER_UNREACHABLE', 'CONTENT_DENIED', 'CONTENT_UNAVAILABLE'])(
    'with %s means that the content is not available',
    async (code) => {
      const { cid, blocks } = await given;
      const stream = async function* (): AsyncGenerator<Uint8Array> {
        yield* blocks.slice(0, 3);
        throw new CodedError(code, 'The stream broke.');
      };
      expect(await outcome(cid, stream())).toBe('CONTENT_UNAVAILABLE');
    },
  );

  it('is over as soon as nobody wants it', async () => {
    const { cid, blocks } = await given;
    const receiver = await memoryNode();
    const controller = new AbortController();
    const reason = new CodedError('CANCELLED', 'Nobody wants it.');
    const stream = async function* (): AsyncGenerator<Uint8Array> {
      yield* blocks.slice(0, 3);
      controller.abort(reason);
      yield* blocks.slice(3);
    };
    receiver.transport.offer(stream());
    const fetching = receiver.store.fetch(cid, ORIGIN, 64 * MIB, controller.signal);
    await expect(fetching).rejects.toBe(reason);
    expect(await blockCount(receiver.disk)).toBe(0);
  });
});
