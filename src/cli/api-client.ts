import type { z } from 'zod';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import { problemShape } from './problem-shape.ts';
import { type RequestSurroundings, requestFailure } from './request-failure.ts';

/** The node's word for a query that cannot be. */
export const QUERY_REFUSED = 'INVALID_QUERY';

export interface ApiRequest {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | ReadableStream<Uint8Array>;
  readonly signal?: AbortSignal;
}

/**
 * A node over HTTP. Every refusal of the node becomes a {@link CodedError} with its code and sentence; where a request
 * does not get as far, `request-failure.ts` says why.
 */
export class ApiClient {
  readonly #base: URL;
  readonly #token: string | undefined;
  readonly #env: RequestSurroundings;

  constructor(base: URL, token: string | undefined, env: RequestSurroundings = {}) {
    this.#base = base;
    this.#token = token;
    this.#env = env;
  }

  get origin(): string {
    return this.#base.origin;
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
      throw requestFailure(this.#base, cause, this.#env);
    }
    if (response.status === 401) throw this.#unauthorized();
    if (!response.ok) throw refusalOf(response, await this.#textOf(response, signal));
    return response;
  }

  /** The bytes of an answer as they come. Throws where they break off. */
  async *bytesOf(response: Response, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const body: ReadableStream<Uint8Array> | null = response.body;
    try {
      for await (const chunk of body ?? []) yield chunk;
    } catch (cause) {
      if (signal?.aborted === true) throw cause;
      throw requestFailure(this.#base, cause, this.#env);
    }
  }

  async #textOf(response: Response, signal: AbortSignal | undefined): Promise<string> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.bytesOf(response, signal)) chunks.push(chunk);
    return new TextDecoder().decode(Buffer.concat(chunks));
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
    const text = await this.#textOf(response, request.signal);
    try {
      return shape.parse(JSON.parse(text));
    } catch (cause) {
      throw new CodedError(
        'API_UNEXPECTED',
        `The answer of ${this.#base.origin} to ${path} is not one of a Bidmesh node: ${messageOf(cause)}`,
        { cause },
      );
    }
  }
}

function refusalOf(response: Response, text: string): CodedError {
  try {
    const { code, detail, errors } = problemShape.parse(JSON.parse(text));
    const data = { status: response.status, errors };
    if (code === QUERY_REFUSED && errors !== undefined && errors.length > 0) {
      // What is asked of the node has the names of the flags it was typed with.
      const flags = errors.map(({ path, message }) => `\n  --${path}: ${message}`).join('');
      return new CodedError(code, `The command was not accepted.${flags}`, { data });
    }
    const fields = (errors ?? []).map(({ path, message }) => `\n  ${path}: ${message}`).join('');
    return new CodedError(code, `${detail}${fields}`, { data });
  } catch {
    const status = `${response.status} ${response.statusText}`.trim();
    const hint = /https/i.test(text) ? ' It may speak TLS: try https.' : '';
    return new CodedError(
      'API_UNEXPECTED',
      `What listens at ${new URL(response.url).origin} answered ${status}, and not as a Bidmesh node does.${hint} Look at --api.`,
    );
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
