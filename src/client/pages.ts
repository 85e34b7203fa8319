import type { Result, ResultPage } from '../openapi/shapes/result.ts';

interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor?: string | undefined;
}

/** Every item of a list, page by page. */
export async function* itemsOf<Item>(read: (cursor?: string) => Promise<Page<Item>>): AsyncGenerator<Item> {
  let page = await read();
  yield* page.items;
  while (page.nextCursor !== undefined) {
    page = await read(page.nextCursor);
    yield* page.items;
  }
}

/** The newest result of each partition, whole, by partition. `read` reads a page of `listResults`. */
export async function newestResults(
  read: (cursor?: string) => Promise<ResultPage>,
): Promise<readonly Result[]> {
  const newest = new Map<number, Result>();
  for await (const item of itemsOf(read)) {
    const before = newest.get(item.partition);
    // A result that is cut goes on with the next page; another attempt's replaces it.
    const goesOn = before?.executionId === item.executionId;
    const files = goesOn ? [...before.files, ...item.files] : item.files;
    newest.set(item.partition, { ...item, files });
  }
  return [...newest.values()].sort((a, b) => a.partition - b.partition);
}

/** All bytes of a file that comes in pieces. */
export async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const all: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    all.push(piece);
    size += piece.length;
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of all) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
