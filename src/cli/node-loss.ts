import { CodedError, codeOf, messageOf } from '../lib/coded-error.ts';

/** How it looks from here when the node is gone and its job is not. */
const NODE_GONE: ReadonlySet<string | undefined> = new Set(['API_UNREACHABLE', 'EVENTS_LOST', 'STOPPING']);

/** The same error, with what becomes of a job that the node has taken. */
export function withFateOf(id: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined || !NODE_GONE.has(code)) return error;
  return new CodedError(
    code,
    `${messageOf(error)}\nJob ${id} is on the node's disk: it goes on when the node runs again, and what providers are running for it goes on meanwhile. Then: bidmesh job wait ${id}`,
    { cause: error },
  );
}
