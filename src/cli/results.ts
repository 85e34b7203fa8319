import { CodedError } from '../lib/coded-error.ts';
import { type ApiClient, jobPath } from './api-client.ts';
import { writeBelow } from './local-files.ts';
import { type ResultAnswer, resultListShape } from './responses.ts';

/** The newest result of each partition. */
export async function resultsOf(client: ApiClient, jobId: string): Promise<readonly ResultAnswer[]> {
  const { items } = await client.json(resultListShape, jobPath(jobId, '/results'));
  const newest = new Map(items.map((item) => [item.partition, item]));
  return [...newest.values()].sort((a, b) => a.partition - b.partition);
}

/** The bytes of one result file. */
export async function openResult(
  client: ApiClient,
  jobId: string,
  path: string,
  signal?: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  const response = await client.request(
    jobPath(jobId, `/results/${encoded}`),
    signal === undefined ? {} : { signal },
  );
  return response.body ?? new Response('').body ?? new ReadableStream();
}

/**
 * Writes all files of a job's results below `folder`, by partition where there are several. Returns the paths. Throws
 * `RESULT_PATH_UNSAFE` when some were left out for their names, with all others written.
 */
export async function downloadResults(
  client: ApiClient,
  jobId: string,
  results: readonly ResultAnswer[],
  folder: string,
): Promise<readonly string[]> {
  const several = results.length > 1;
  const written: string[] = [];
  let leftOut: CodedError | undefined;
  for (const { partition, files } of results) {
    for (const { path } of files) {
      const bytes = await openResult(client, jobId, `p${partition}/${path}`);
      try {
        written.push(await writeBelow(folder, several ? `p${partition}/${path}` : path, bytes));
      } catch (error) {
        if (!(error instanceof CodedError) || error.code !== 'RESULT_PATH_UNSAFE') throw error;
        leftOut ??= error;
      }
    }
  }
  if (leftOut !== undefined) throw leftOut;
  return written;
}
