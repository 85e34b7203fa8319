import { CodedError } from '../lib/coded-error.ts';

/** Of names, so that a page stays small whatever a program calls its files; one file comes whatever its name. */
const PAGE_NAME_BYTES = 512 * 1024;

/** The result of one partition. */
export interface ListedResult {
  readonly executionId: string;
  readonly partition: number;
  readonly cid: string;
}

export interface ListedFile {
  readonly path: string;
  readonly size: number;
  readonly cid: string;
}

export interface ResultPage {
  readonly items: readonly {
    readonly executionId: string;
    readonly partition: number;
    readonly files: readonly ListedFile[];
  }[];
  readonly nextCursor?: string;
}

/** What comes first on the next page. */
interface Place {
  readonly partition: number;
  readonly file: number;
  readonly executionId: string;
}

/**
 * One page of the files of a job's results, `limit` of them at most. A result that is cut goes on with the next page;
 * where another attempt has taken its place meanwhile, that one comes from its start.
 */
export async function resultPage(
  results: readonly ListedResult[],
  filesOf: (cid: string) => Promise<readonly ListedFile[] | undefined>,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string },
): Promise<ResultPage> {
  const start = cursor === undefined ? undefined : placeOf(cursor);
  const items: ResultPage['items'][number][] = [];
  let leftFiles = limit;
  let leftBytes = PAGE_NAME_BYTES;
  for (const { executionId, partition, cid } of results) {
    if (partition < (start?.partition ?? 0)) continue;
    const all = await filesOf(cid);
    if (all === undefined) continue;
    const from = start?.executionId === executionId && start.partition === partition ? start.file : 0;
    const files: ListedFile[] = [];
    for (const file of all.slice(from)) {
      const bytes = Buffer.byteLength(file.path);
      if (leftFiles === 0 || (bytes > leftBytes && leftFiles < limit)) break;
      leftFiles -= 1;
      leftBytes -= bytes;
      files.push(file);
    }
    if (files.length > 0 || all.length === 0) items.push({ executionId, partition, files });
    const file = from + files.length;
    if (file < all.length) return { items, nextCursor: cursorOf({ partition, file, executionId }) };
  }
  return { items };
}

function cursorOf({ partition, file, executionId }: Place): string {
  return `${partition}.${file}.${executionId}`;
}

function placeOf(cursor: string): Place {
  const [, partition, file, executionId] = /^(\d{1,6})\.(\d{1,9})\.(.+)$/s.exec(cursor) ?? [];
  if (partition === undefined || file === undefined || executionId === undefined) {
    throw new CodedError('CURSOR_INVALID', 'The cursor is not one of this list. Start without a cursor.');
  }
  return { partition: Number(partition), file: Number(file), executionId };
}
