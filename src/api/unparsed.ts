import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { CodedError, codeOf } from '../lib/coded-error.ts';
import { PROBLEM_TYPE, problemOf } from './problem.ts';

/** Refusals of the parser by its own codes; any other is a malformed request. */
const REFUSALS: Readonly<Record<string, readonly [code: string, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [
    'HEADERS_TOO_LARGE',
    'The headers of the request are too large. Send fewer or shorter ones.',
  ],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [
    'BODY_TOO_LARGE',
    'The chunks of the body have extensions that are too long.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    'REQUEST_TIMEOUT',
    'The request did not come to its end in time. Send it again.',
  ],
};

export const NO_REQUEST = new CodedError(
  'MALFORMED_REQUEST',
  'The request cannot be read: HTTP/1.1 with a path and one Host header is expected.',
);

/** Answers requests that never became one: the connection ends, with a problem document where it can still carry one. */
export class UnparsedRequests {
  readonly #headers: readonly (readonly [name: string, value: string])[];
  readonly #answering = new WeakMap<Duplex, Set<ServerResponse>>();

  /** `headers` are on every answer. */
  constructor(headers: readonly (readonly [name: string, value: string])[]) {
    this.#headers = headers;
  }

  /** To be told of every request that is being answered. */
  answering({ socket }: IncomingMessage, response: ServerResponse): void {
    const open = this.#answering.get(socket) ?? new Set();
    this.#answering.set(socket, open.add(response));
    response.once('close', () => open.delete(response));
  }

  /** False where there is nobody to answer, or where a request that had begun is what ended. */
  refuse(error: Error, socket: Duplex): boolean {
    const open = [...(this.#answering.get(socket) ?? [])];
    const begun = open.some(({ headersSent }) => headersSent);
    if (!socket.writable || begun || codeOf(error) === 'ECONNRESET') {
      socket.destroy(error);
      return false;
    }
    const [code, detail] = REFUSALS[codeOf(error) ?? ''] ?? [NO_REQUEST.code, NO_REQUEST.message];
    const problem = problemOf(new CodedError(code, detail));
    const body = JSON.stringify(problem);
    const head = [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
      ...this.#headers.map(([name, value]) => `${name}: ${value}`),
      `Content-Type: ${PROBLEM_TYPE}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
    ];
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
    return open.length === 0;
  }
}

/** `Expect` with anything but `100-continue`. */
export function refuseExpectation(response: ServerResponse): void {
  const detail = 'No Expect header but 100-continue is understood here. Leave it out.';
  refuseUnbegun(response, new CodedError('EXPECTATION_FAILED', detail), { Connection: 'close' });
}

/** A request that is refused before any route has seen it. */
export function refuseUnbegun(
  response: ServerResponse,
  error: unknown,
  headers: Readonly<Record<string, string>>,
): void {
  const problem = problemOf(error);
  const body = JSON.stringify(problem);
  response.writeHead(problem.status, {
    'Content-Type': PROBLEM_TYPE,
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}
