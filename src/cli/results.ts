import { type BidmeshClient, newestResults, type Result } from '../client/index.ts';
import { CodedError, codeOf, messageOf } from '../lib/coded-error.ts';
import { partsBelow, ResultFolder } from './result-folder.ts';

/** The newest result of each partition. */
export function resultsOf(client: BidmeshClient, jobId: string): Promise<readonly Result[]> {
  return newestResults((cursor) => client.listResults(jobId, { cursor }));
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
  client: BidmeshClient,
  jobId: string,
  results: readonly Result[],
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
          const bytes = await client.getResultFile(jobId, `p${partition}/${file.path}`, { signal });
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
