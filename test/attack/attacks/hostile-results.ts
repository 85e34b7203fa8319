import { randomBytes } from 'node:crypto';
import * as dagPb from '@ipld/dag-pb';
import { UnixFS } from 'ipfs-unixfs';
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { sha256 } from 'multiformats/hashes/sha2';
import type { Attack } from '../attack.ts';
import { provide, type Result } from '../hostile-provider.ts';

const BLOCKS = 200;
const PEOPLE = 3;

/** A folder whose names lead out of it. */
async function escaping(): Promise<Result> {
  const file = randomBytes(64);
  const leaf = CID.createV1(raw.code, await sha256.digest(file));
  const names = ['../escape', '..', '/etc/escape', 'stdout'];
  const node = dagPb.prepare({
    Data: new UnixFS({ type: 'directory' }).marshal(),
    Links: names.toSorted().map((Name) => ({ Name, Tsize: file.length, Hash: leaf })),
  });
  const block = dagPb.encode(node);
  const root = CID.createV1(dagPb.code, await sha256.digest(block));
  return { cid: root.toString(), blocks: [block, file] };
}

/** Blocks that are not those of the content id, more of them than anybody wants. */
async function wrong(): Promise<Result> {
  const { cid } = await escaping();
  return { cid, blocks: Array.from({ length: BLOCKS }, () => randomBytes(1000)) };
}

/** Bids less than anybody, signs, says that the work is done, and has a result that is none. */
export const hostileResults: Attack = {
  name: 'hostile-results',
  about:
    'wins jobs of the requester with bids for nothing, and has results with wrong hashes and names like ../',
  protocol: 'negotiation, serving, content',
  costsFirstJobs: true,
  prepare: async (scene) => {
    const results = await Promise.all([escaping(), wrong()]);
    return async (signal) => {
      await Promise.all(
        Array.from({ length: PEOPLE }, (_, index) => provide(scene, results[index % results.length], signal)),
      );
    };
  },
};
