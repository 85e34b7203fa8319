import { once } from 'node:events';
import { createServer, IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { getRequestListener, RequestError } from '@hono/node-server';
import { within } from '../lib/clock.ts';
import { CodedError, codeOf, messageOf } from '../lib/coded-error.ts';
import type { Startable } from '../lib/startable.ts';
import { createAccessCheck } from './access.ts';
import { createApp, RETRY_AFTER_SECONDS } from './app.ts';
import { type AdmittedBody, BodyAdmission } from './body-admission.ts';
import { RequestBodies } from './body.ts';
import { ApiCounters } from './counters.ts';
import { DocumentReader } from './document-reader.ts';
import type { ApiNeeds } from './needs.ts';
import { OpenBodies } from './open-bodies.ts';
import { type ApiOptions, parseListen } from './options.ts';
import { PROBLEM_TYPE, problemOf } from './problem.ts';
import { RequestTurns } from './request-turns.ts';
import { OpenStreams } from './streams.ts';
import { NO_REQUEST, refuseExpectation, refuseUnbegun, UnparsedRequests } from './unparsed.ts';

/** On every answer: nothing is kept by a browser, and nothing is taken for another type than it says. */
const ALWAYS = [
  ['X-Content-Type-Options', 'nosniff'],
  ['Cache-Control', 'no-store'],
] as const;

export interface Api extends Startable {
  /** Where the API listens; the port is known once it has started. */
  readonly url: string;
  /** What came up, by name. */
  counters(): Record<string, number>;
}

/**
 * The HTTP interface of one node. Throws `API_TOKEN_REQUIRED` where it would be open to the network;
 * `start` rejects with `API_ADDRESS_IN_USE` or `API_LISTEN_FAILED`.
 */
export function createApi(options: ApiOptions, needs: ApiNeeds): Api {
  return new HttpApi(options, needs);
}

class HttpApi implements Api {
  readonly #options: ApiOptions;
  readonly #needs: ApiNeeds;
  readonly #streams: OpenStreams;
  readonly #documents: DocumentReader;
  readonly #counters = new ApiCounters();
  readonly #admission: BodyAdmission;
  readonly #turns: RequestTurns;
  readonly #unparsed = new UnparsedRequests(ALWAYS);
  /** Who asked to be told to send the body. */
  readonly #expecting = new WeakSet<IncomingMessage>();
  readonly #server: Server;
  #url: string;
  #stopping = false;

  constructor(options: ApiOptions, needs: ApiNeeds) {
    this.#options = options;
    this.#needs = needs;
    this.#streams = new OpenStreams(options.maxStreams);
    this.#documents = new DocumentReader(needs.clock, options);
    this.#url = `http://${options.listen}`;
    const open = new OpenBodies(needs.clock, options);
    this.#admission = new BodyAdmission(open, options, createAccessCheck(options));
    const app = createApp({
      ...needs,
      options,
      streams: this.#streams,
      documents: this.#documents,
      bodies: new RequestBodies(needs.clock, options, open),
      counters: this.#counters,
    });
    const handle = getRequestListener(
      (request, { incoming }) => app.fetch(request, { claimBody: () => this.#claimBody(incoming) }),
      { errorHandler: (error) => this.#noRequest(error) },
    );
    this.#turns = new RequestTurns(
      needs.clock,
      options,
      (request, response) => {
        if (this.#expecting.delete(request)) response.writeContinue();
        void handle(request, response);
      },
      (request, response) => this.#admit(request, response),
    );
    this.#server = createServer(
      {
        // What a body that waits for room, and an answer that is not read, may take of the process.
        highWaterMark: options.connectionBufferBytes,
        maxHeaderSize: options.maxHeaderBytes,
        headersTimeout: options.headersTimeoutMs,
        requestTimeout: options.requestTimeoutMs,
        keepAliveTimeout: options.keepAliveTimeoutMs,
        connectionsCheckingInterval: options.timeoutCheckMs,
        // One without is refused here, where refusals have a body.
        requireHostHeader: false,
      },
      (request, response) => this.#listen(request, response),
    );
    this.#server.on('clientError', (error, socket) => {
      if (this.#unparsed.refuse(error, socket)) this.#counters.count('api.unparsed');
    });
    // The body is asked for when there is room for it.
    this.#server.on('checkContinue', (request, response) => {
      this.#expecting.add(request);
      this.#listen(request, response);
    });
    this.#server.on('checkExpectation', (_request, response) => {
      for (const [name, value] of ALWAYS) response.setHeader(name, value);
      refuseExpectation(response);
    });
    this.#server.on('connection', (socket) => this.#turns.connected(socket));
    this.#server.maxConnections = options.maxConnections;
  }

  get url(): string {
    return this.#url;
  }

  counters(): Record<string, number> {
    return this.#counters.snapshot();
  }

  async start(): Promise<void> {
    const address = parseListen(this.#options.listen);
    if (address === undefined) throw listenFailed(this.#options.listen, 'it is not HOST:PORT');
    try {
      this.#server.listen(address.port, address.host);
      await once(this.#server, 'listening');
    } catch (cause) {
      if (codeOf(cause) !== 'EADDRINUSE') throw listenFailed(this.#options.listen, messageOf(cause));
      throw new CodedError(
        'API_ADDRESS_IN_USE',
        `Something else listens on ${this.#options.listen}. Stop it, or choose another address with --api HOST:PORT.`,
        { cause },
      );
    }
    const bound = this.#server.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
    this.#url = `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}`;
    this.#needs.logger.info('api listens', { url: this.#url });
  }

  /** Takes no new request, ends the streams, and lets what is under way finish within the grace time. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#stopping = true;
    this.#streams.endAll();
    await within(this.#needs.clock, this.#options.stopGraceMs, closed, () =>
      this.#server.closeAllConnections(),
    );
    await closed;
    await this.#documents.stop();
  }

  /** What comes here is no request that routes could be looked up for, or an error that nothing else caught. */
  #noRequest(error: unknown): Response {
    if (!(error instanceof RequestError)) {
      this.#needs.logger.error('request failed', { reason: messageOf(error) });
    }
    const problem = problemOf(error instanceof RequestError ? NO_REQUEST : error);
    return new Response(JSON.stringify(problem), {
      status: problem.status,
      headers: { 'Content-Type': PROBLEM_TYPE },
    });
  }

  #claimBody(request: unknown): AdmittedBody | undefined {
    return request instanceof IncomingMessage ? this.#admission.claim(request) : undefined;
  }

  /** Whether a request may begin; undefined is at once. */
  #admit(request: IncomingMessage, response: ServerResponse): Promise<boolean> | undefined {
    return this.#admission.admit(request, response)?.then(
      () => true,
      (error: unknown) => {
        if (!response.closed) {
          this.#counters.count('api.busy');
          refuseUnbegun(response, error, { 'Retry-After': RETRY_AFTER_SECONDS });
        }
        return false;
      },
    );
  }

  /** While the node stops, a connection goes as soon as its answer is out, instead of waiting for another request. */
  #listen(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of ALWAYS) response.setHeader(name, value);
    this.#unparsed.answering(request, response);
    response.once('close', () => {
      if (this.#stopping) this.#server.closeIdleConnections();
    });
    this.#turns.take(request, response);
  }
}

function listenFailed(listen: string, reason: string): CodedError {
  return new CodedError('API_LISTEN_FAILED', `The API cannot listen on ${listen}: ${reason}.`);
}
