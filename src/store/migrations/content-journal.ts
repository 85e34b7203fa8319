import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { codeOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';

const size = z.number().int().nonnegative();

const object = z.object({
  cid: z.string().min(1),
  bytes: size,
  isPublic: z.boolean(),
  storedAt: z.number(),
  blocks: z.array(z.tuple([z.string(), size])),
});

const line = z.discriminatedUnion('op', [
  z.object({ op: z.literal('add'), object }),
  z.object({ op: z.literal('touch'), cid: z.string(), storedAt: z.number() }),
  z.object({ op: z.literal('publish'), cid: z.string() }),
  z.object({ op: z.literal('drop'), cid: z.string() }),
  z.object({ op: z.literal('pin'), cid: z.string(), owner: z.string().min(1) }),
  z.object({ op: z.literal('unpin'), owner: z.string() }),
]);

export type JournalObject = z.infer<typeof object>;

/** What a journal says in the end. */
interface JournalContent {
  readonly objects: Map<string, JournalObject>;
  /** Content ids by their owners. */
  readonly pins: Map<string, Set<string>>;
}

const CHECKSUM_LENGTH = 16;

/**
 * Reads the journal of content as versions up to 0.1.0 wrote it: a line for each change, a checksum in front of it. A
 * line that was cut short or has changed does not count. Undefined where there is no such file.
 */
export async function readJournal(path: string, logger: Logger): Promise<JournalContent | undefined> {
  const content: JournalContent = { objects: new Map(), pins: new Map() };
  const bytes = await readFile(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  });
  if (bytes === undefined) return undefined;
  let at = 0;
  for (let end = bytes.indexOf('\n'); end >= 0; end = bytes.indexOf('\n', at)) {
    const change = decodeLine(bytes.toString('utf8', at, end));
    if (change === undefined) logger.warn('a line of the content journal cannot be read', { at });
    else apply(content, change);
    at = end + 1;
  }
  return content;
}

function decodeLine(text: string): z.infer<typeof line> | undefined {
  const said = text.slice(CHECKSUM_LENGTH + 1);
  const checksum = createHash('sha256').update(said).digest('hex').slice(0, CHECKSUM_LENGTH);
  if (text.slice(0, CHECKSUM_LENGTH) !== checksum) return undefined;
  return line.safeParse(JSON.parse(said)).data;
}

function apply({ objects, pins }: JournalContent, change: z.infer<typeof line>): void {
  if (change.op === 'add') {
    if (!objects.has(change.object.cid)) objects.set(change.object.cid, change.object);
    return;
  }
  if (change.op === 'unpin') {
    pins.delete(change.owner);
    return;
  }
  const { cid } = change;
  const known = objects.get(cid);
  if (known === undefined) return;
  if (change.op === 'touch') objects.set(cid, { ...known, storedAt: change.storedAt });
  else if (change.op === 'publish') objects.set(cid, { ...known, isPublic: true });
  else if (change.op === 'pin') pins.set(change.owner, (pins.get(change.owner) ?? new Set()).add(cid));
  else {
    objects.delete(cid);
    for (const kept of pins.values()) kept.delete(cid);
  }
}
