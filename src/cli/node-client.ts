import { BidmeshClient, ProblemError } from '../client/index.ts';
import type { Timers } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import { type RequestSurroundings, requestFailure } from './request-failure.ts';

/** The node's word for a query that cannot be. */
export const QUERY_REFUSED = 'INVALID_QUERY';

/** A node, whose refusals and failures are said in the words of the command line. */
export function nodeClient(
  url: URL,
  token: string | undefined,
  timers: Timers,
  env: RequestSurroundings = {},
): BidmeshClient {
  return new BidmeshClient({
    url,
    token,
    timers,
    reword: (error) => (error instanceof ProblemError ? refusal(error) : failure(error)),
  });

  function refusal({ code, message, fields, data }: ProblemError): CodedError {
    if (code === 'UNAUTHORIZED') return unauthorized();
    if (code === QUERY_REFUSED && fields.length > 0) {
      // What is asked of the node has the names of the flags it was typed with.
      const flags = fields.map(({ path, message: fault }) => `\n  --${path}: ${fault}`).join('');
      return new CodedError(code, `The command was not accepted.${flags}`, { data });
    }
    const lines = fields.map(({ path, message: fault }) => `\n  ${path}: ${fault}`).join('');
    return new CodedError(code, `${message}${lines}`, { data });
  }

  function unauthorized(): CodedError {
    return new CodedError(
      'UNAUTHORIZED',
      token === undefined
        ? `The node at ${url.origin} asks for a token. Set BIDMESH__API__TOKEN to its api.token.`
        : `The token in BIDMESH__API__TOKEN is not that of the node at ${url.origin}. Set it to the api.token of that node.`,
    );
  }

  function failure(error: CodedError): unknown {
    if (error.code === 'API_UNREACHABLE') return requestFailure(url, error.cause, env);
    if (error.code !== 'API_UNEXPECTED') return error;
    return new CodedError(error.code, `${error.message} Look at --api.`, { cause: error });
  }
}
