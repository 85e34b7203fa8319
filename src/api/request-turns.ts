import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { afterThisTurn, type Clock } from '../lib/clock.ts';
import type { ApiOptions } from './options.ts';

type TurnOptions = Pick<ApiOptions, 'turnMs' | 'parsedPerTurn' | 'maxWaitingRequests'>;

interface Waiting {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** One connection: what it is asked now, and what has been read ahead. */
interface Lane {
  readonly socket: Socket;
  readonly waiting: Waiting[];
  busy: boolean;
}

/**
 * Requests in turn: those of one connection one after the other, and of all together no more in one turn of the event
 * loop than fit into a slice of time. Node.js by itself begins everything that it finds in the bytes it has read. A
 * connection that sends ahead is not read on before it has been served, and when many do, none is read on in this turn.
 */
export class RequestTurns {
  readonly #clock: Clock;
  readonly #options: TurnOptions;
  readonly #handle: RequestListener;
  readonly #lanes = new Map<Socket, Lane>();
  /** Lanes with a request that can begin. */
  readonly #ready: Lane[] = [];
  #waiting = 0;
  #parsed = 0;
  #begun = 0;
  #turnBeganMs = 0;
  #turnEnds = false;
  #held = false;

  constructor(clock: Clock, options: TurnOptions, handle: RequestListener) {
    this.#clock = clock;
    this.#options = options;
    this.#handle = handle;
  }

  /** To be told of every connection. */
  connected(socket: Socket): void {
    this.#laneOf(socket);
  }

  /** To be told of every request that was read. */
  take(request: IncomingMessage, response: ServerResponse): void {
    const lane = this.#laneOf(request.socket);
    lane.waiting.push({ request, response });
    this.#waiting += 1;
    this.#parsed += 1;
    this.#endTurn();
    if (lane.busy || lane.waiting.length > 1) lane.socket.pause();
    else this.#ready.push(lane);
    if (this.#parsed > this.#options.parsedPerTurn) this.#hold();
    this.#begin();
  }

  /** Requests that were read and have not begun. */
  get waiting(): number {
    return this.#waiting;
  }

  #laneOf(socket: Socket): Lane {
    const known = this.#lanes.get(socket);
    if (known !== undefined) return known;
    const lane: Lane = { socket, waiting: [], busy: false };
    this.#lanes.set(socket, lane);
    socket.once('close', () => {
      this.#waiting -= lane.waiting.length;
      lane.waiting.length = 0;
      this.#lanes.delete(socket);
    });
    // Whoever reads a body to its end has the connection read on, and so has whoever takes a connection.
    socket.on('resume', () => {
      if (!this.#held && lane.waiting.length === 0) return;
      // A pause that came before this event has lost its effect, and another one would have none.
      if (socket.isPaused()) socket.resume();
      else socket.pause();
    });
    return lane;
  }

  /** As many as fit into this turn; at least one. */
  #begin(): void {
    while (this.#ready.length > 0 && this.#hasTime()) {
      const lane = this.#ready.shift();
      const next = lane?.waiting.shift();
      // A connection that has gone left nothing.
      if (lane === undefined || next === undefined) continue;
      this.#waiting -= 1;
      this.#begun += 1;
      lane.busy = true;
      next.response.once('close', () => this.#ended(lane));
      if (lane.waiting.length === 0 && !this.#held) lane.socket.resume();
      this.#handle(next.request, next.response);
    }
  }

  #hasTime(): boolean {
    return this.#begun === 0 || this.#clock.monotonicMs() - this.#turnBeganMs < this.#options.turnMs;
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
      if (this.#ready.length > 0 || this.#held) this.#endTurn();
      this.#begin();
      if (this.#held && this.#waiting < this.#options.maxWaitingRequests) this.#release();
    });
  }

  #hold(): void {
    if (this.#held) return;
    this.#held = true;
    for (const { socket } of this.#lanes.values()) socket.pause();
  }

  #release(): void {
    this.#held = false;
    for (const { socket, waiting } of this.#lanes.values()) if (waiting.length === 0) socket.resume();
  }
}
