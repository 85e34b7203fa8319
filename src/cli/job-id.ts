import type { BidmeshClient } from '../client/index.ts';
import { CodedError } from '../lib/coded-error.ts';

/** As the node has it: fewer characters are those of every job of a month. */
const SHORTEST_PREFIX = 4;
/** What commands that take one say of it. */
export const JOB_ID = `the id of a job, or its first ${SHORTEST_PREFIX} characters or more`;
const WHOLE_ID_LENGTH = 36;
const MOST_NAMED = 8;

/**
 * The id of the one job whose id is `text` or begins so; `text` itself where there is none, for the node to refuse.
 * Throws `USAGE` where it is too short, and `ID_AMBIGUOUS` with the jobs that it may mean.
 */
export async function jobIdOf(client: BidmeshClient, text: string): Promise<string> {
  if (text.length >= WHOLE_ID_LENGTH || !/^[0-9A-Za-z-]+$/.test(text)) return text;
  if (text.length < SHORTEST_PREFIX) {
    throw new CodedError(
      'USAGE',
      `${JSON.stringify(text)} is too short for the id of a job: give its first ${SHORTEST_PREFIX} characters or more, as "bidmesh job list" shows it.`,
    );
  }
  const { items } = await client.listJobs({ idPrefix: prefixOf(text), limit: MOST_NAMED + 1 });
  const [first] = items;
  if (first === undefined || items.some(({ id }) => id === text)) return text;
  if (items.length === 1) return first.id;
  const named = items.slice(0, MOST_NAMED).map(({ id, name, state }) => `\n  ${id}  ${name}  ${state}`);
  const more = items.length > MOST_NAMED ? ['\n  and more'] : [];
  throw new CodedError(
    'ID_AMBIGUOUS',
    `Several ids begin with ${text}. Give more characters of one of them:${[...named, ...more].join('')}`,
    { data: { ids: items.slice(0, MOST_NAMED).map(({ id }) => id) } },
  );
}

/** Ids are in small letters, wherever they were copied from. */
function prefixOf(text: string): string {
  return /^[0-9A-F-]+$/i.test(text) ? text.toLowerCase() : text;
}
