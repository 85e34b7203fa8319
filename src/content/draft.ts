import type { ContentAddition, ContentChange, StoredObject } from '../domain/program/stored-content.ts';
import { messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import type { Catalog } from './catalog.ts';
import type { Collector } from './collector.ts';
import { parseContentId } from './content-id.ts';
import type { DagBounds } from './dag-check.ts';
import type { Intake } from './staging.ts';
import { importContent } from './unixfs-import.ts';
import { wholeOf } from './whole.ts';

/**
 * Content that becomes durable with something else, in one batch: the programs and inputs of a job with the job that
 * keeps them. Whatever comes of that batch, the draft is ended once behind it.
 */
export interface ContentDraft {
  /** Gives bytes their id. They are here for others once the batch is written. */
  put(bytes: Uint8Array): Promise<{ readonly cid: string; readonly size: number }>;
  /** The size of content that is here in full, else undefined. It stays until the draft is ended. */
  sizeOf(cid: string): Promise<number | undefined>;
  /** What belongs into the batch: all that was put or asked for, kept by `owner` as far as an owner may keep it. */
  changes(owner: string): readonly ContentChange[];
  end(): Promise<void>;
}

interface DraftNeeds {
  readonly catalog: Catalog;
  readonly collector: Collector;
  readonly logger: Logger;
  readonly begin: () => Intake;
  readonly bounds: DagBounds;
}

export class Draft implements ContentDraft {
  readonly #needs: DraftNeeds;
  readonly #intakes: Intake[] = [];
  readonly #releases: (() => void)[] = [];
  readonly #added = new Map<string, ContentAddition>();
  readonly #kept = new Map<string, StoredObject>();

  constructor(needs: DraftNeeds) {
    this.#needs = needs;
  }

  async put(bytes: Uint8Array): Promise<{ readonly cid: string; readonly size: number }> {
    const intake = this.#needs.begin();
    this.#intakes.push(intake);
    const { root, totals } = await wholeOf(importContent({ bytes }, intake), intake, this.#needs.bounds);
    const cid = root.toString();
    const addition = this.#needs.catalog.addition(cid, totals, false);
    this.#added.set(cid, addition);
    this.#kept.set(cid, addition.object);
    return { cid, size: totals.bytes };
  }

  async sizeOf(cid: string): Promise<number | undefined> {
    const root = parseContentId(cid);
    if (root === undefined) return undefined;
    const key = root.toString();
    const known = this.#kept.get(key);
    if (known !== undefined) return known.bytes;
    const held = await this.#needs.catalog.holdToKeep(root);
    if (held === undefined) return undefined;
    this.#releases.push(held.release);
    this.#kept.set(key, held.object);
    return held.object.bytes;
  }

  changes(owner: string): readonly ContentChange[] {
    const allow = this.#needs.catalog.allowanceOf(owner);
    const pins: ContentChange[] = [];
    for (const [cid, object] of this.#kept) {
      try {
        allow(object);
        pins.push({ op: 'pin', cid, owner });
      } catch (error) {
        this.#needs.logger.warn('content is not kept', { owner, cid, reason: messageOf(error) });
      }
    }
    return [...this.#added.values(), ...pins];
  }

  async end(): Promise<void> {
    for (const release of this.#releases.splice(0)) release();
    for (const cid of this.#kept.keys()) this.#needs.collector.touch(cid);
    await Promise.all(this.#intakes.splice(0).map((intake) => intake.end()));
  }
}
