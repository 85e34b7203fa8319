import type { z } from 'zod';
import { CodedError, codeOf, messageOf } from '../lib/coded-error.ts';
import { type ApiClient, jobPath, pathSegment } from './api-client.ts';
import { partsBelow, ResultFolder } from './result-folder.ts';
import { type ResultAnswer, resultListShape } from './responses.ts';

/** The newest result of each partition. */
export async function resultsOf(client: ApiClient, jobId: string): Promise<readonly ResultAnswer[]> {
  const newest = new Map<number, ResultAnswer>();
  for await (const item of resultPages(client, jobId)) {
    const before = newest.get(item.partition);
    // A result that is cut goes on with the next page; another attempt's replaces it.
    const goesOn = before?.executionId === item.executionId;
    const files = goesOn ? [...before.files, ...item.files] : item.files;
    newest.set(item.partition, { ...item, files });
  }
  return [...newest.values()].sort((a, b) => a.partition - b.partition);
}

async function* resultPages(client: ApiClient, jobId: string): AsyncGenerator<ResultAnswer> {
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const query = cursor === undefined ? '' : `?cursor=${encodeURIComponent(cursor)}`;
    const page: z.output<typeof resultListShape> = await client.json(
      resultListShape,
      jobPath(jobId, `/results${query}`),
    );
    yield* page.items;
    cursor = page.nextCursor;
  }
}

/** The bytes of one result file. */
export async function openResult(
  client: ApiClient,
  jobId: string,
  path: string,
  signal?: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const encoded = path.split('/').map(pathSegment).join('/');
  const request = signal === undefined ? {} : { signal };
  const response = await client.request(jobPath(jobId, `/results/${encoded}`), request);
  return client.bytesOf(response, signal);
}

/** A result file that is not here now, and why. */
export interface LeftOutFile {
  readonly path: string;
  readonly code: string;
  readonly reason: string;
}

export interface Download {
  /** Where the files were written. */
  readonly files: readonly string[];
  readonly leftOut: readonly LeftOutFile[];
}

/**
 * Writes the files of a job's results below `path`, by partition where there are several. A file that cannot be had
 * or written keeps no other one back. Throws where the node itself does not answer.
 */
export async function downloadResults(
  client: ApiClient,
  jobId: string,
  results: readonly ResultAnswer[],
  path: string,
  signal?: AbortSignal,
): Promise<Download> {
  const several = results.length > 1 || results.some(({ partition }) => partition > 0);
  const written: string[] = [];
  const leftOut: LeftOutFile[] = [];
  const folder = await ResultFolder.open(path);
  try {
    for (const { partition, files } of results) {
      for (const file of files) {
        const place = several ? `p${partition}/${file.path}` : file.path;
        try {
          partsBelow(place);
          const bytes = await openResult(client, jobId, `p${partition}/${file.path}`, signal);
          written.push(await folder.write(place, bytes));
        } catch (error) {
          signal?.throwIfAborted();
          const code = codeOf(error);
          if (code === undefined || ENDS_ALL.has(code)) throw error;
          leftOut.push({ path: place, code, reason: messageOf(error) });
        }
      }
    }
  } finally {
    await folder.close();
  }
  return { files: written, leftOut };
}

/** What would be the same for every other file. */
const ENDS_ALL: ReadonlySet<string> = new Set([
  'API_UNREACHABLE',
  'STOPPING',
  'UNAUTHORIZED',
  'JOB_NOT_FOUND',
]);
const MOST_NAMED = 20;

/** The refusal that names what was left out; undefined when nothing was. */
export function incompleteDownload(jobId: string, leftOut: readonly LeftOutFile[]): CodedError | undefined {
  if (leftOut.length === 0) return undefined;
  const files = leftOut.length === 1 ? 'One result file is' : `${leftOut.length} result files are`;
  const named = leftOut
    .slice(0, MOST_NAMED)
    .map(({ path, reason }) => `\n  ${JSON.stringify(path)}: ${reason}`);
  const more = leftOut.length > MOST_NAMED ? [`\n  and ${leftOut.length - MOST_NAMED} more`] : [];
  return new CodedError(
    'RESULTS_INCOMPLETE',
    `${files} not written; all others are. "bidmesh job results ${jobId} PATH" prints a single one.${[...named, ...more].join('')}`,
  );
}
