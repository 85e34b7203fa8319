import type { z } from 'zod';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import type { Timers } from '../lib/clock.ts';
import type { Operation } from '../openapi/operation.ts';
import { addressOf, type PathValues } from './addresses.ts';
import { checked } from './checked.ts';
import { problemIn } from './problem-error.ts';
import { systemTimers } from './timers.ts';

export interface ClientOptions {
  /** Where the node listens, such as `http://127.0.0.1:9999`; a function is asked before each request. */
  readonly url: string | URL | (() => string | URL);
  /** The node's api.token, where it has one. */
  readonly token?: string | undefined;
  /** The system's own where left out. */
  readonly fetch?: (address: URL, init: RequestInit) => Promise<Response>;
  readonly timers?: Timers;
  /** What to throw in place of an error: the same in the words of the program around. */
  readonly reword?: (error: CodedError, origin: URL) => unknown;
}

export interface Call {
  readonly path?: PathValues | undefined;
  readonly query?: object | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
}

export interface BodyReader {
  /** The next bytes; undefined at the end. */
  read(): Promise<Uint8Array | undefined>;
  /** Whoever reads no further lets the node stop. */
  cancel(): void;
}

/** Requests of one node, each with an answer as its operation has them or an error with a code. */
export class Connection {
  readonly timers: Timers;
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.timers = options.timers ?? systemTimers;
  }

  /**
   * The answer where it is a good one. Throws a `ProblemError` for a refusal, `API_UNREACHABLE` where the request did not
   * get as far, `API_UNEXPECTED` where something else answers, or the reason of an aborted signal.
   */
  async send(operation: Operation, call: Call = {}): Promise<Response> {
    const { body, signal, headers } = call;
    const base = this.#base();
    const { token, fetch: send = fetch } = this.#options;
    const address = new URL(addressOf(operation, call.path, call.query), base);
    let response: Response;
    try {
      response = await send(address, {
        method: operation.method.toUpperCase(),
        headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
        ...(body === undefined ? {} : { body, duplex: 'half' }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (cause) {
      if (signal?.aborted === true) throw cause;
      throw this.#reworded(unreached(base, cause), base);
    }
    if (isAnswerOf(operation, response)) return response;
    const text = await this.text(response, signal);
    const problem = problemIn(text, response.headers.get('retry-after'));
    throw this.#reworded(problem ?? unexpected(base, response, text), base);
  }

  async json<Shape extends z.ZodType>(
    operation: Operation,
    shape: Shape,
    call: Call = {},
  ): Promise<z.output<Shape>> {
    const text = await this.text(await this.send(operation, call), call.signal);
    return this.read(shape, text);
  }

  /** Text of the node that is JSON of a shape. Throws `API_UNEXPECTED`. */
  read<Shape extends z.ZodType>(shape: Shape, text: string): z.output<Shape> {
    try {
      return checked(shape, JSON.parse(text));
    } catch (cause) {
      throw this.unexpected(`not as this client knows it: ${messageOf(cause)}`, cause);
    }
  }

  unexpected(how: string, cause?: unknown): unknown {
    const base = this.#base();
    const sentence = `What listens at ${base.origin} answered, and ${how}.`;
    return this.#reworded(new CodedError('API_UNEXPECTED', sentence, { cause }), base);
  }

  /** The bytes of an answer as they come. Throws where they break off. */
  async *bytes(response: Response, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const body = this.body(response, signal);
    try {
      for (let chunk = await body.read(); chunk !== undefined; chunk = await body.read()) yield chunk;
    } finally {
      body.cancel();
    }
  }

  /** The same, to be read step by step. */
  body(response: Response, signal?: AbortSignal): BodyReader {
    const reader = response.body?.getReader();
    return {
      read: async (): Promise<Uint8Array | undefined> => {
        try {
          const step: { readonly value?: Uint8Array | undefined } | undefined = await reader?.read();
          return step?.value;
        } catch (cause) {
          if (signal?.aborted === true) throw cause;
          const base = this.#base();
          throw this.#reworded(unreached(base, cause), base);
        }
      },
      cancel: () => {
        reader?.cancel().catch(() => {});
      },
    };
  }

  async text(response: Response, signal?: AbortSignal): Promise<string> {
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of this.bytes(response, signal)) text += decoder.decode(chunk, { stream: true });
    return text + decoder.decode();
  }

  #base(): URL {
    const { url } = this.#options;
    return new URL(typeof url === 'function' ? url() : url);
  }

  #reworded(error: unknown, base: URL): unknown {
    const { reword } = this.#options;
    const coded: CodedError | undefined = error instanceof CodedError ? error : undefined;
    return reword === undefined || coded === undefined ? error : reword(coded, base);
  }
}

/** Also a status that is not a good one may be an answer, as of a node that is not ready. */
function isAnswerOf({ answers }: Operation, { status, ok, headers }: Response): boolean {
  if (ok) return true;
  return status in answers && headers.get('content-type')?.startsWith('application/json') === true;
}

/** What had a code of its own, as a body that cannot be read, is that error still. */
function unreached({ origin }: URL, cause: unknown): CodedError {
  for (let error = cause; error instanceof Error; error = error.cause) {
    const coded: CodedError | undefined = error instanceof CodedError ? error : undefined;
    if (coded !== undefined) return coded;
  }
  const sentence = `The node at ${origin} could not be asked: ${messageOf(cause)}. Look at its address, and whether it runs.`;
  return new CodedError('API_UNREACHABLE', sentence, { cause });
}

function unexpected({ origin }: URL, { status, statusText }: Response, text: string): CodedError {
  const hint = /https/i.test(text) ? ' It may speak TLS: try https.' : '';
  return new CodedError(
    'API_UNEXPECTED',
    `What listens at ${origin} answered ${`${status} ${statusText}`.trim()}, and not as a Bidmesh node does.${hint}`,
  );
}
