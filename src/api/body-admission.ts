import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from 'hono';
import type { AccessCheck } from './access.ts';
import type { BodyRoom, OpenBodies } from './open-bodies.ts';
import type { ApiOptions } from './options.ts';

type SizeOptions = Pick<ApiOptions, 'maxBodyBytes' | 'smallBodyBytes' | 'uploadBytes'>;

/** A body with room, before anything of it was read. */
export interface AdmittedBody {
  readonly room: BodyRoom;
  /** As they come from the connection: a web stream would copy each. */
  readonly chunks: () => AsyncIterator<Uint8Array>;
}

/** The room that a body of so many bytes takes, or of a length that is not known; 0 where it needs none. */
type RoomOf = (declared: number | undefined, options: SizeOptions) => number;

export const roomOfWhole: RoomOf = (declared, { maxBodyBytes, smallBodyBytes }) => {
  if (declared === undefined) return maxBodyBytes;
  // One that is too large is refused and not read.
  return declared <= smallBodyBytes || declared > maxBodyBytes ? 0 : declared;
};

export const roomOfStreamed: RoomOf = (declared, { smallBodyBytes, uploadBytes }) => {
  if (declared === undefined) return uploadBytes;
  return declared <= smallBodyBytes ? 0 : Math.min(declared, uploadBytes);
};

const ROUTES: ReadonlyMap<string, RoomOf> = new Map([
  ['/orchestrator/postJob', roomOfWhole],
  ['/dms/blobs', roomOfStreamed],
]);

/**
 * Room for a large body, before its request begins: one that has to wait for it, or that is refused, has then cost no
 * more than its headers and what was read with them. Other routes take no large bodies; who may not ask is refused
 * there, too, and so takes nobody's place.
 */
export class BodyAdmission {
  readonly #open: OpenBodies;
  readonly #options: SizeOptions;
  readonly #checkAccess: AccessCheck;
  readonly #admitted = new WeakMap<IncomingMessage, AdmittedBody>();

  constructor(open: OpenBodies, options: SizeOptions, checkAccess: AccessCheck) {
    this.#open = open;
    this.#options = options;
    this.#checkAccess = checkAccess;
  }

  /** Undefined where the request may begin now; else it may when this resolves. Rejects with `BODIES_FULL`, or where the client left. */
  admit(request: IncomingMessage, response: ServerResponse): Promise<void> | undefined {
    const bytes = this.#roomFor(request);
    if (bytes === 0) return undefined;
    const room = this.#open.enterNow(bytes);
    if (room === undefined) return this.#wait(bytes, request, response);
    this.#keep(room, request, response);
    return undefined;
  }

  /** What was admitted of a request; from now on its room is given back by who asked for it. */
  claim(request: IncomingMessage): AdmittedBody | undefined {
    const body = this.#admitted.get(request);
    this.#admitted.delete(request);
    return body;
  }

  async #wait(bytes: number, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('The client left.')));
    const room = await this.#open.enter(bytes, gone.signal);
    this.#keep(room, request, response);
  }

  #keep(room: BodyRoom, request: IncomingMessage, response: ServerResponse): void {
    this.#admitted.set(request, { room, chunks: () => request.iterator({ destroyOnReturn: false }) });
    // Refused without a look at its body.
    const leave = (): void => this.claim(request)?.room.release();
    if (response.closed) leave();
    else response.once('close', leave);
  }

  #roomFor(request: IncomingMessage): number {
    const { method, url = '', headers } = request;
    const [path = ''] = url.split('?', 1);
    const roomOf = method === 'POST' ? ROUTES.get(path) : undefined;
    const length = headers['content-length'];
    if (roomOf === undefined || (length === undefined && headers['transfer-encoding'] === undefined))
      return 0;
    if (!this.#mayAsk(path, request)) return 0;
    return roomOf(length === undefined ? undefined : Number(length), this.#options);
  }

  #mayAsk(path: string, { headers }: IncomingMessage): boolean {
    const fetchSite = headers['sec-fetch-site'];
    try {
      this.#checkAccess({
        path,
        host: headers.host,
        origin: headers.origin,
        fetchSite: Array.isArray(fetchSite) ? fetchSite.join(', ') : fetchSite,
        authorization: headers.authorization,
      });
      return true;
    } catch {
      return false;
    }
  }
}

/** What a route is given of it. */
interface AdmittedRequest {
  readonly claimBody?: () => AdmittedBody | undefined;
}

/** The body of a request that found room before the request began, if it did. */
export function admittedBodyOf({ env }: Context): AdmittedBody | undefined {
  return (env as AdmittedRequest | undefined)?.claimBody?.();
}
