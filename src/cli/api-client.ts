import type { z } from 'zod';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import { problemShape } from './problem-shape.ts';

export const DEFAULT_API = 'http://127.0.0.1:9999';

export interface ApiRequest {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | ReadableStream<Uint8Array>;
  readonly signal?: AbortSignal;
}

/** The address of a node as people give it. Throws `USAGE`. */
export function parseApiUrl(text: string): URL {
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `http://${text}`);
  if (url !== null) return url;
  throw new CodedError('USAGE', `${text} is no address of a node: give a URL such as ${DEFAULT_API}.`);
}

/**
 * A node over HTTP. Every refusal of the node becomes a {@link CodedError} with its code and sentence; where no node
 * answers it is `API_UNREACHABLE`.
 */
export class ApiClient {
  readonly #base: URL;
  readonly #token: string | undefined;

  constructor(base: URL, token: string | undefined) {
    this.#base = base;
    this.#token = token;
  }

  /** The answer when it is a good one. `path` begins with a slash. */
  async request(path: string, request: ApiRequest = {}): Promise<Response> {
    const { method = 'GET', headers = {}, body, signal } = request;
    const url = new URL(path, this.#base);
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        headers: {
          ...headers,
          ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
        },
        ...(body === undefined ? {} : { body, duplex: 'half' }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (cause) {
      if (signal?.aborted === true) throw cause;
      throw new CodedError(
        'API_UNREACHABLE',
        `No node answers at ${this.#base.origin}. Start one with "npx bidmesh start", or name another with --api URL.`,
        { cause },
      );
    }
    if (response.status === 401) throw this.#unauthorized();
    if (!response.ok) throw await refusalOf(response);
    return response;
  }

  #unauthorized(): CodedError {
    const { origin } = this.#base;
    return new CodedError(
      'UNAUTHORIZED',
      this.#token === undefined
        ? `The node at ${origin} asks for a token. Set BIDMESH__API__TOKEN to its api.token.`
        : `The token in BIDMESH__API__TOKEN is not that of the node at ${origin}. Set it to the api.token of that node.`,
    );
  }

  async json<Shape extends z.ZodType>(
    shape: Shape,
    path: string,
    request: ApiRequest = {},
  ): Promise<z.output<Shape>> {
    const response = await this.request(path, request);
    try {
      return shape.parse(await response.json());
    } catch (cause) {
      throw new CodedError(
        'API_UNEXPECTED',
        `The answer of ${this.#base.origin} to ${path} is not one of a Bidmesh node: ${messageOf(cause)}`,
        { cause },
      );
    }
  }
}

async function refusalOf(response: Response): Promise<CodedError> {
  const text = await response.text();
  try {
    const { code, detail, errors } = problemShape.parse(JSON.parse(text));
    const fields = (errors ?? []).map(({ path, message }) => `\n  ${path}: ${message}`).join('');
    return new CodedError(code, `${detail}${fields}`, { data: { status: response.status, errors } });
  } catch {
    return new CodedError('API_UNEXPECTED', `The node answered ${response.status} ${response.statusText}.`);
  }
}

/** One part of a path, whatever it holds. Throws `USAGE` for those that a URL would take as a way to somewhere else. */
export function pathSegment(text: string): string {
  if (text !== '' && text !== '.' && text !== '..') return encodeURIComponent(text);
  throw new CodedError(
    'USAGE',
    `${JSON.stringify(text)} names nothing here: give an id or a path as a list shows it.`,
  );
}

/** The path of a job, or below it. */
export function jobPath(jobId: string, rest = ''): string {
  return `/orchestrator/jobs/${pathSegment(jobId)}${rest}`;
}
