import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { afterThisTurn, type Clock } from '../lib/clock.ts';
import { ConnectionFeed } from './connection-feed.ts';
import type { ApiOptions } from './options.ts';

type TurnOptions = Pick<ApiOptions, 'turnMs' | 'parsedPerTurn' | 'maxWaitingRequests'>;

interface Waiting {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** One connection: what it is asked now, and what has been read ahead. */
interface Lane {
  readonly feed: ConnectionFeed;
  readonly waiting: Waiting[];
  /** The request that bytes may belong to. */
  newest?: IncomingMessage;
  busy: boolean;
}

/**
 * Requests in turn: those of one connection one after the other, and of all together no more in one turn of the event
 * loop than fit into a slice of time. Node.js by itself begins everything that it finds in the bytes it has read. A
 * connection that sends ahead is not read on before it has been served.
 */
export class RequestTurns {
  readonly #clock: Clock;
  readonly #options: TurnOptions;
  readonly #handle: RequestListener;
  readonly #lanes = new Map<Socket, Lane>();
  /** Lanes with a request that can begin. */
  readonly #ready: Lane[] = [];
  /** Connections with bytes that are not looked at in this turn any more. */
  #hungry = new Set<Lane>();
  #waiting = 0;
  #parsed = 0;
  #begun = 0;
  #pieces = 0;
  #turnBeganMs = 0;
  #turnEnds = false;

  constructor(clock: Clock, options: TurnOptions, handle: RequestListener) {
    this.#clock = clock;
    this.#options = options;
    this.#handle = handle;
  }

  /** To be told of every connection, once the server has taken it. */
  connected(socket: Socket): void {
    const lane: Lane = {
      feed: new ConnectionFeed(
        socket,
        () => this.#mayParse(lane),
        () => isFull(lane),
      ),
      waiting: [],
      busy: false,
    };
    this.#lanes.set(socket, lane);
    socket.once('close', () => {
      this.#waiting -= lane.waiting.length;
      lane.waiting.length = 0;
      this.#hungry.delete(lane);
      this.#lanes.delete(socket);
    });
  }

  /** To be told of every request that was read. */
  take(request: IncomingMessage, response: ServerResponse): void {
    const lane = this.#lanes.get(request.socket);
    if (lane === undefined) return;
    lane.newest = request;
    lane.waiting.push({ request, response });
    this.#waiting += 1;
    this.#parsed += 1;
    this.#endTurn();
    if (!lane.busy && lane.waiting.length === 1) this.#ready.push(lane);
    this.#begin();
  }

  #mayParse(lane: Lane): boolean {
    if (lane.waiting.length > 0 || isFull(lane)) return false;
    this.#endTurn();
    const { parsedPerTurn, maxWaitingRequests } = this.#options;
    const isRoom = this.#parsed < parsedPerTurn && this.#waiting < maxWaitingRequests;
    if (!isRoom || (this.#pieces > 0 && this.#isTimeUp())) {
      this.#hungry.add(lane);
      return false;
    }
    this.#pieces += 1;
    return true;
  }

  /** As many as fit into this turn; at least one. */
  #begin(): void {
    while (this.#ready.length > 0 && (this.#begun === 0 || !this.#isTimeUp())) {
      const lane = this.#ready.shift();
      const next = lane?.waiting.shift();
      // A connection that has gone left nothing.
      if (lane === undefined || next === undefined) continue;
      this.#waiting -= 1;
      this.#begun += 1;
      lane.busy = true;
      next.response.once('close', () => this.#ended(lane));
      this.#handle(next.request, next.response);
      if (lane.waiting.length === 0) lane.feed.go();
    }
  }

  #isTimeUp(): boolean {
    return this.#clock.monotonicMs() - this.#turnBeganMs >= this.#options.turnMs;
  }

  #ended(lane: Lane): void {
    lane.busy = false;
    if (lane.waiting.length === 0) return;
    this.#ready.push(lane);
    this.#endTurn();
    this.#begin();
  }

  #endTurn(): void {
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    this.#turnBeganMs = this.#clock.monotonicMs();
    afterThisTurn(() => {
      this.#turnEnds = false;
      this.#parsed = 0;
      this.#begun = 0;
      this.#pieces = 0;
      if (this.#ready.length > 0) this.#endTurn();
      this.#begin();
      const hungry = this.#hungry;
      this.#hungry = new Set();
      for (const lane of hungry) lane.feed.go();
    });
  }
}

/** Whether as much of a body waits to be read as may. */
function isFull({ newest }: Lane): boolean {
  return newest !== undefined && newest.readableLength >= newest.readableHighWaterMark;
}
