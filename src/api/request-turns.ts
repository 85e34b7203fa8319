import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { afterThisTurn, type Clock } from '../lib/clock.ts';
import { BodyPieces } from './body-pieces.ts';
import { ConnectionFeed } from './connection-feed.ts';
import type { ApiOptions } from './options.ts';

type TurnOptions = Pick<ApiOptions, 'turnMs' | 'parsedPerTurn' | 'maxWaitingRequests' | 'refusedLingerMs'>;

/** Undefined where a request may begin now; else it resolves with whether it may, or has been refused. */
type Admit = (request: IncomingMessage, response: ServerResponse) => Promise<boolean> | undefined;

const NO_ROOM = 503;

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
  /** Its body. */
  body?: BodyPieces;
  busy: boolean;
  /** Whether its request waits until there is room for the body, of which nothing more is read before. */
  held: boolean;
  /** Whether its last request came before the one before it was answered. */
  sendsAhead: boolean;
}

/**
 * Requests in turn: those of one connection one after the other, and of all together no more in one turn of the event
 * loop than fit into a slice of time. Node.js by itself begins everything that it finds in the bytes it has read. A
 * connection that sends ahead is not read on before it has been served, and only after those that do not: else a few
 * of them would have all the room there is, for as long as they have something to send, or an answer that does not end.
 */
export class RequestTurns {
  readonly #clock: Clock;
  readonly #options: TurnOptions;
  readonly #handle: RequestListener;
  readonly #admit: Admit;
  readonly #lanes = new Map<Socket, Lane>();
  /** Lanes with a request that can begin. */
  readonly #ready: Lane[] = [];
  /** Connections with bytes that there was no room to look at, the longest first. */
  readonly #hungry = new Set<Lane>();
  /** Those of them that send ahead. */
  readonly #hungryAhead = new Set<Lane>();
  /** The one whose turn it is among them. */
  #fed: Lane | undefined;
  #waiting = 0;
  #parsed = 0;
  #begun = 0;
  #pieces = 0;
  #turnBeganMs = 0;
  #turnEnds = false;

  constructor(clock: Clock, options: TurnOptions, handle: RequestListener, admit: Admit = () => undefined) {
    this.#clock = clock;
    this.#options = options;
    this.#handle = handle;
    this.#admit = admit;
  }

  /** To be told of every connection, once the server has taken it. */
  connected(socket: Socket): void {
    const lane: Lane = {
      feed: new ConnectionFeed(socket, {
        mayGoOn: () => this.#mayParse(lane),
        isFull: () => isFull(lane),
        bodyBytes: () => lane.body?.missingBytes ?? 0,
        parsed: () => lane.body?.flush(),
      }),
      waiting: [],
      busy: false,
      held: false,
      sendsAhead: false,
    };
    this.#lanes.set(socket, lane);
    socket.once('close', () => {
      this.#waiting -= lane.waiting.length;
      lane.waiting.length = 0;
      this.#hungry.delete(lane);
      this.#hungryAhead.delete(lane);
      this.#lanes.delete(socket);
      if (this.#hungryAhead.size > 0) this.#endTurn();
    });
  }

  /** To be told of every request that was read. */
  take(request: IncomingMessage, response: ServerResponse): void {
    const lane = this.#lanes.get(request.socket);
    if (lane === undefined) return;
    lane.newest = request;
    lane.body = new BodyPieces(request);
    lane.sendsAhead = lane.busy || lane.waiting.length > 0;
    lane.waiting.push({ request, response });
    this.#waiting += 1;
    this.#parsed += 1;
    this.#endTurn();
    if (!lane.busy && lane.waiting.length === 1) this.#ready.push(lane);
    this.#begin();
  }

  #mayParse(lane: Lane): boolean {
    if (lane.held || lane.waiting.length > 0 || isFull(lane)) return false;
    this.#endTurn();
    if (!this.#isRoomFor(lane) || (this.#fed !== lane && this.#isBehind(lane))) {
      (lane.sendsAhead ? this.#hungryAhead : this.#hungry).add(lane);
      return false;
    }
    this.#pieces += 1;
    return true;
  }

  #isRoomFor({ sendsAhead }: Lane): boolean {
    const { parsedPerTurn, maxWaitingRequests } = this.#options;
    if (sendsAhead && this.#waiting >= maxWaitingRequests) return false;
    return this.#parsed < parsedPerTurn && (this.#pieces === 0 || !this.#isTimeUp());
  }

  /** Whether others that want to be read come first. */
  #isBehind(lane: Lane): boolean {
    return this.#hungry.size > 0 || (lane.sendsAhead && this.#hungryAhead.size > 0);
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
      next.response.once('close', () => {
        if (isRefusedUnread(next)) this.#leave(lane, next);
        this.#ended(lane);
      });
      this.#start(lane, next);
    }
  }

  #start(lane: Lane, { request, response }: Waiting): void {
    const goOn = (isAdmitted: boolean): void => {
      lane.held = false;
      if (isAdmitted) this.#handle(request, response);
      if (lane.waiting.length === 0) lane.feed.go();
    };
    const admitted = this.#admit(request, response);
    lane.held = admitted !== undefined;
    if (admitted === undefined) goOn(true);
    else void admitted.then(goOn);
  }

  /** The client has a moment to read its answer: what is closed with bytes unread is reset. */
  #leave({ feed }: Lane, { request }: Waiting): void {
    feed.stop();
    this.#clock.after(this.#options.refusedLingerMs, () => request.socket.destroySoon());
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
      this.#feed();
    });
  }

  /** Reads on as many connections as there is room for in this turn. */
  #feed(): void {
    for (let lane = this.#hungriest(); lane !== undefined; lane = this.#hungriest()) {
      if (!this.#isRoomFor(lane)) {
        // Where too many wait, whoever ends or leaves has it go on.
        if (this.#waiting < this.#options.maxWaitingRequests || !lane.sendsAhead) this.#endTurn();
        return;
      }
      this.#hungry.delete(lane);
      this.#hungryAhead.delete(lane);
      this.#fed = lane;
      lane.feed.go();
      this.#fed = undefined;
    }
  }

  #hungriest(): Lane | undefined {
    const [lane] = this.#hungry.size > 0 ? this.#hungry : this.#hungryAhead;
    return lane;
  }
}

/** Refused for want of room: reading the rest of its body would take what there is none of. */
function isRefusedUnread({ request, response }: Waiting): boolean {
  return response.statusCode === NO_ROOM && !request.complete;
}

/** Whether as much of a body waits to be read as may. */
function isFull({ newest }: Lane): boolean {
  return newest !== undefined && newest.readableLength >= newest.readableHighWaterMark;
}
