import type { ContentStore, TreeEntry } from '../../src/content/index.ts';
import type { BlockTransport } from '../../src/content/ports.ts';
import { contentIdOf, decodeCanonical, encodeCanonical, rawContentIdOf } from '../../src/lib/canonical.ts';
import { CodedError } from '../../src/lib/coded-error.ts';

/** Blocks that outlive a crash of their node: content is durable before it has an id. */
export class MemoryBlocks {
  readonly blocks = new Map<string, Uint8Array>();
}

/** Whether the disk of a machine, and the quota of its content store, take anything more. */
export interface MachineRoom {
  diskFull: boolean;
  quotaFull: boolean;
}

export const MUCH_ROOM: MachineRoom = { diskFull: false, quotaFull: false };

/** What a disk without room says. */
export function diskFull(): CodedError {
  return new CodedError('DISK_FULL', 'The disk is full.', { data: { cause: 'ENOSPC' } });
}

function requireRoom(room: MachineRoom): void {
  if (room.diskFull) throw diskFull();
  if (room.quotaFull) throw new CodedError('QUOTA_EXCEEDED', 'The content store is full.');
}

/**
 * A content store with nothing but memory and promises, for simulations. A file is one raw block, a directory is
 * one block that lists its files; both are checked by their ids as they arrive.
 */
export function createMemoryContent(
  { blocks }: MemoryBlocks,
  transport: BlockTransport,
  room: MachineRoom = MUCH_ROOM,
): ContentStore {
  const put = (bytes: Uint8Array): { cid: string; size: number } => {
    const cid = rawContentIdOf(bytes);
    if (!blocks.has(cid)) requireRoom(room);
    blocks.set(cid, bytes);
    return { cid, size: bytes.length };
  };
  const directory = (cid: string): Record<string, string> | undefined => {
    const block = blocks.get(cid);
    if (block === undefined || contentIdOf(block) !== cid) return undefined;
    return decodeCanonical(block) as Record<string, string>;
  };
  const partsOf = (cid: string): readonly string[] => [cid, ...Object.values(directory(cid) ?? {})];
  const entries = (cid: string): TreeEntry[] =>
    Object.entries(directory(cid) ?? {}).map(([path, file]) => ({
      path,
      cid: file,
      size: blocks.get(file)?.length ?? 0,
    }));
  return {
    room: () => ({ freeBytes: room.quotaFull ? 0 : 2 ** 40, quotaBytes: 2 ** 40 }),
    requireRoom: async () => {
      if (room.diskFull) throw diskFull();
    },
    start: async () => {},
    stop: async () => {},
    put: async (source) => {
      if (source instanceof Uint8Array) return put(source);
      const chunks: Uint8Array[] = [];
      for await (const chunk of source) chunks.push(chunk);
      return put(new Uint8Array(Buffer.concat(chunks)));
    },
    // As good as durable at once: nothing of it goes with the job.
    draft: () => ({
      put: async (bytes) => put(bytes),
      sizeOf: async (cid) => blocks.get(cid)?.length,
      changes: () => [],
      end: async () => {},
    }),
    sizeOf: async (cid) => blocks.get(cid)?.length,
    open: async (cid, path) => {
      const file = blocks.get(path === undefined ? cid : (directory(cid)?.[path] ?? ''));
      return file === undefined
        ? undefined
        : {
            size: file.length,
            bytes: (async function* () {
              yield file;
            })(),
          };
    },
    tree: async (cid) => entries(cid),
    fetch: async (cid, from, maxBytes, signal, onBlock) => {
      if (partsOf(cid).every((part) => blocks.has(part))) return { bytes: 0 };
      const received: Uint8Array[] = [];
      let bytes = 0;
      for await (const block of transport.blocks(cid, from, signal)) {
        bytes += block.length;
        if (bytes > maxBytes + 1024) throw new CodedError('CONTENT_TOO_LARGE', 'More bytes than agreed.');
        received.push(block);
        onBlock?.(block.length);
      }
      requireRoom(room);
      const [root, ...rest] = received;
      if (root === undefined) throw new CodedError('CONTENT_UNAVAILABLE', 'Nothing came.');
      if (rawContentIdOf(root) !== cid && contentIdOf(root) !== cid)
        throw new CodedError('CONTENT_INVALID', 'Other bytes came.');
      for (const block of rest) blocks.set(rawContentIdOf(block), block);
      blocks.set(cid, root);
      if (!partsOf(cid).every((part) => blocks.has(part))) {
        blocks.delete(cid);
        throw new CodedError('CONTENT_UNAVAILABLE', 'The stream ended early.');
      }
      return { bytes };
    },
    exportFile: async () => {
      if (room.diskFull) throw diskFull();
    },
    importTree: async (files) => {
      const listing: Record<string, string> = {};
      let total = 0;
      for (const { path, source } of files) {
        const bytes = 'bytes' in source ? source.bytes : new Uint8Array();
        listing[path] = put(bytes).cid;
        total += bytes.length;
      }
      requireRoom(room);
      const block = encodeCanonical(listing);
      const cid = contentIdOf(block);
      blocks.set(cid, block);
      return { cid, bytes: total };
    },
    pin: async () => {},
    unpin: async () => {},
    serve: async (cid) => {
      const parts = partsOf(cid).map((part) => blocks.get(part));
      if (parts.some((part) => part === undefined)) return undefined;
      return (async function* () {
        for (const part of parts) if (part !== undefined) yield part;
      })();
    },
    isPublic: async () => false,
  };
}
