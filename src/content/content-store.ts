import type { CID } from 'multiformats/cid';
import type { StoredObject } from '../domain/program/stored-content.ts';
import type { Clock } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import { KeyedLane } from '../lib/keyed-lane.ts';
import type { Logger } from '../lib/logger.ts';
import { BlockStore } from './block-store.ts';
import { Catalog, gone } from './catalog.ts';
import { Collector } from './collector.ts';
import { parseContentId, requireContentId } from './content-id.ts';
import { DiskReserve } from './disk-reserve.ts';
import { type ContentDraft, Draft } from './draft.ts';
import { FolderCache } from './folder-cache.ts';
import { writeHostFile } from './host-file.ts';
import type { ContentStore, StoredFile, TreeEntry } from './index.ts';
import { type ContentOptions, defaultContentLimits } from './options.ts';
import type { BlockFiles, BlockOrigin, BlockTransport, ContentRecords } from './ports.ts';
import { receiveDag } from './receive-dag.ts';
import { type Intake, Staging } from './staging.ts';
import { sweep } from './sweep.ts';
import { type FileSource, importContent, importFolderOf } from './unixfs-import.ts';
import { fileBytes, filesBelow, findFile } from './unixfs-reader.ts';
import { wholeOf } from './whole.ts';

export interface ContentNeeds {
  readonly records: ContentRecords;
  readonly files: BlockFiles;
  readonly transport: BlockTransport;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What may still be written on the disk; without it nobody looks. */
  readonly freeBytes?: () => Promise<number | undefined>;
}

class UnixfsContentStore implements ContentStore {
  readonly #transport: BlockTransport;
  readonly #logger: Logger;
  readonly #records: ContentRecords;
  readonly #blocks: BlockStore;
  readonly #staging: Staging;
  readonly #reserve: DiskReserve | undefined;
  readonly #collector: Collector;
  readonly #catalog: Catalog;
  readonly #folders = new FolderCache();

  constructor(options: ContentOptions, needs: ContentNeeds) {
    const { clock, logger, records, freeBytes } = needs;
    const limits = { ...defaultContentLimits, ...options.limits };
    const lane = new KeyedLane();
    const blocks = new BlockStore(needs.files, records, logger);
    const collector = new Collector(limits, { records, blocks, clock, logger, lane });
    this.#transport = needs.transport;
    this.#logger = logger;
    this.#records = records;
    this.#blocks = blocks;
    this.#reserve = freeBytes === undefined ? undefined : new DiskReserve({ clock, freeBytes });
    const staging = new Staging(blocks, records, limits, this.#reserve);
    this.#staging = staging;
    this.#collector = collector;
    this.#catalog = new Catalog(limits, { records, blocks, staging, collector, clock, lane });
  }

  async start(): Promise<void> {
    await this.#blocks.open();
    await sweep(this.#blocks, this.#records, this.#logger);
    this.#collector.start();
  }

  async stop(): Promise<void> {
    await this.#collector.stop();
  }

  draft(): ContentDraft {
    return new Draft({
      catalog: this.#catalog,
      collector: this.#collector,
      logger: this.#logger,
      begin: () => this.#staging.begin(),
      bounds: this.#catalog.bounds(Number.POSITIVE_INFINITY),
    });
  }

  async put(
    source: Uint8Array | AsyncIterable<Uint8Array>,
    options: { readonly public?: boolean } = {},
  ): Promise<{ readonly cid: string; readonly size: number }> {
    const file: FileSource = source instanceof Uint8Array ? { bytes: source } : { stream: source };
    const { cid, bytes } = await this.#takeIn(
      (intake) => importContent(file, intake),
      options.public === true,
    );
    return { cid, size: bytes };
  }

  importTree(
    entries: readonly { readonly path: string; readonly source: FileSource }[],
  ): Promise<{ readonly cid: string; readonly bytes: number }> {
    return this.#takeIn((intake) => importFolderOf(entries, intake), false);
  }

  async fetch(
    cid: string,
    from: BlockOrigin,
    maxBytes: number,
    signal: AbortSignal,
    onBlock?: (bytes: number) => void,
  ): Promise<{ readonly bytes: number }> {
    const root = requireContentId(cid);
    const here = await this.#catalog.recorded(root);
    if (here === undefined) return this.#receive(root, from, maxBytes, signal, onBlock);
    if (here.bytes <= maxBytes) return { bytes: here.bytes };
    throw new CodedError(
      'CONTENT_TOO_LARGE',
      `The content has more than the ${maxBytes} bytes allowed for it.`,
    );
  }

  room(): { readonly freeBytes: number; readonly quotaBytes: number } {
    return this.#staging.room();
  }

  async requireRoom(): Promise<void> {
    await this.#reserve?.take(0);
  }

  async sizeOf(cid: string): Promise<number | undefined> {
    return (await this.#catalog.objectAt(parseContentId(cid)))?.bytes;
  }

  async open(cid: string, path?: string): Promise<StoredFile | undefined> {
    const root = parseContentId(cid);
    if (root === undefined || !this.#catalog.isPresent(root.toString())) return undefined;
    const { source } = this.#catalog;
    const file = await findFile(root, path, source, this.#folders);
    const object = await this.#catalog.objectAt(file?.cid);
    if (file === undefined || object === undefined) return undefined;
    this.#collector.touch(root.toString());
    return { size: file.size, bytes: this.#catalog.whileHeld(object, () => fileBytes(file.cid, source)) };
  }

  async tree(cid: string): Promise<readonly TreeEntry[]> {
    const root = parseContentId(cid);
    if (root === undefined || !this.#catalog.isPresent(root.toString())) throw gone(cid);
    const files = await filesBelow(root, this.#catalog.source, this.#folders);
    return files
      .map((file) => ({ path: file.path, cid: file.cid.toString(), size: file.size }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async serve(cid: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const object = await this.#catalog.objectAt(parseContentId(cid));
    if (object === undefined) return undefined;
    this.#collector.touch(object.cid);
    return this.#catalog.whileHeld(object, () => this.#blocksOf(object));
  }

  async isPublic(cid: string): Promise<boolean> {
    const root = parseContentId(cid);
    return root !== undefined && this.#catalog.isPublic(root.toString());
  }

  async exportFile(cid: string, hostPath: string): Promise<void> {
    const file = await this.open(cid);
    if (file === undefined) throw gone(cid);
    await writeHostFile(hostPath, file.bytes);
  }

  pin(cid: string, owner: string): Promise<void> {
    return this.#catalog.pin(cid, owner);
  }

  unpin(owner: string): Promise<void> {
    return this.#catalog.unpin(owner);
  }

  /** Whatever happens, nothing is left of an import that did not become an object. */
  async #takeIn(
    work: (intake: Intake) => Promise<CID>,
    isPublic: boolean,
  ): Promise<{ readonly cid: string; readonly bytes: number }> {
    const intake = this.#staging.begin();
    try {
      const bounds = this.#catalog.bounds(Number.POSITIVE_INFINITY);
      const { root, totals } = await wholeOf(work(intake), intake, bounds);
      const cid = root.toString();
      await this.#catalog.record(cid, totals, isPublic);
      return { cid, bytes: totals.bytes };
    } finally {
      await intake.end();
    }
  }

  async #receive(
    root: CID,
    from: BlockOrigin,
    maxBytes: number,
    signal: AbortSignal,
    onBlock: ((bytes: number) => void) | undefined,
  ): Promise<{ readonly bytes: number }> {
    const intake = this.#staging.begin();
    try {
      const blocks = this.#transport.blocks(root.toString(), from, signal);
      const bounds = this.#catalog.bounds(maxBytes);
      const totals = await receiveDag(root, blocks, intake, bounds, signal, onBlock);
      await intake.settle();
      await this.#catalog.record(root.toString(), totals, false);
      return { bytes: totals.bytes };
    } finally {
      await intake.end();
    }
  }

  async *#blocksOf(object: StoredObject): AsyncGenerator<Uint8Array> {
    for (const [key] of object.blocks) yield await this.#blocks.read(requireContentId(key));
  }
}

/** Nothing is read or written before `start`. */
export function createContentStore(options: ContentOptions, needs: ContentNeeds): ContentStore {
  return new UnixfsContentStore(options, needs);
}
