import { type Clock, within } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import { type AdmittedBody, roomOfStreamed, roomOfWhole } from './body-admission.ts';
import { freeAtOnce } from './free-at-once.ts';
import { type BodyRoom, noRoom, type OpenBodies } from './open-bodies.ts';
import type { ApiOptions } from './options.ts';

/** Of an upload: the blocks of the content store have this size. */
const BLOCK_BYTES = 1024 * 1024;

type BodyOptions = Pick<ApiOptions, 'maxBodyBytes' | 'smallBodyBytes' | 'uploadBytes' | 'bodyTimeoutMs'>;

/** A body that is wholly there. */
export interface WholeBody {
  readonly bytes: Uint8Array;
  /** To be told when it has been dealt with: until then it takes room from others. */
  release(): void;
}

/** The bodies of requests as they come in, as one sum of memory. */
export class RequestBodies {
  readonly #clock: Clock;
  readonly #options: BodyOptions;
  readonly #open: OpenBodies;

  constructor(clock: Clock, options: BodyOptions, open: OpenBodies) {
    this.#clock = clock;
    this.#options = options;
    this.#open = open;
  }

  /**
   * The whole body of a request, counted while it comes: never more than `maxBodyBytes` of it are held, and large ones
   * only while there is room: `admitted` has found it before. Throws `BODY_TOO_LARGE`, `BODIES_FULL` or `REQUEST_TIMEOUT`.
   */
  async whole(request: Request, admitted?: AdmittedBody): Promise<WholeBody> {
    const { maxBodyBytes, bodyTimeoutMs } = this.#options;
    const declared = declaredBytes(request) ?? maxBodyBytes;
    if (declared > maxBodyBytes) throw tooLarge(maxBodyBytes);
    const bytes = roomOfWhole(declaredBytes(request), this.#options);
    if (bytes === 0) {
      const buffer = await within(this.#clock, bodyTimeoutMs, request.arrayBuffer(), () => undefined);
      if (buffer === undefined) throw late();
      return { bytes: new Uint8Array(buffer), release: () => {} };
    }
    const room = admitted?.room ?? (await this.#open.enter(bytes, request.signal));
    const timer = this.#clock.after(bodyTimeoutMs, () => room.end(late()));
    // Taken once and of its own, and by the system only as far as it is filled.
    const whole = Buffer.allocUnsafeSlow(declared);
    const leave = (): void => {
      freeAtOnce(whole);
      room.release();
    };
    try {
      let sizeBytes = 0;
      for await (const chunk of chunksOf(request, room, admitted)) {
        if (sizeBytes + chunk.length > declared) throw tooLarge(maxBodyBytes);
        whole.set(chunk, sizeBytes);
        sizeBytes += chunk.length;
        freeAtOnce(chunk);
      }
      const bytes = sizeBytes === declared ? whole : whole.subarray(0, sizeBytes);
      return { bytes, release: () => leave() };
    } catch (error) {
      leave();
      throw error;
    } finally {
      timer.cancel();
      room.complete();
    }
  }

  /** A body as it comes, in pieces of up to a mebibyte, given to `take`; there is room for the part of it that is on its way. Throws `BODIES_FULL`. */
  async streamed<T>(
    request: Request,
    take: (chunks: AsyncIterable<Uint8Array>) => Promise<T>,
    admitted?: AdmittedBody,
  ): Promise<T> {
    const declared = declaredBytes(request) ?? BLOCK_BYTES;
    const bytes = roomOfStreamed(declaredBytes(request), this.#options);
    const room = admitted?.room ?? (bytes === 0 ? noRoom() : await this.#open.enter(bytes, request.signal));
    try {
      return await take(piecesOf(chunksOf(request, room, admitted), declared));
    } finally {
      room.release();
    }
  }
}

function declaredBytes(request: Request): number | undefined {
  const header = request.headers.get('content-length');
  return header === null ? undefined : Number(header);
}

/** The bytes as they come. Throws what `room` is ended with, without waiting for more of them. */
async function* chunksOf(
  request: Request,
  room: BodyRoom,
  admitted: AdmittedBody | undefined,
): AsyncGenerator<Uint8Array> {
  const chunks = admitted?.chunks() ?? webChunksOf(request);
  const { signal } = room;
  const ended = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  try {
    for (;;) {
      room.awaits();
      const step = await Promise.race([chunks.next(), ended]);
      if (step === undefined) throw signal.reason;
      if (step.done === true) return;
      room.received(step.value.length);
      yield step.value;
    }
  } finally {
    room.complete();
    // One that is still waited for is not waited for here.
    Promise.resolve(chunks.return?.()).catch(() => {});
  }
}

/**
 * In pieces as large as the blocks that are stored, so that they are stored as they are. What came is given back once it
 * is in its piece, and a piece that does not get full when the body breaks off.
 */
async function* piecesOf(chunks: AsyncIterable<Uint8Array>, declared: number): AsyncGenerator<Uint8Array> {
  const pieceBytes = Math.min(declared, BLOCK_BYTES);
  let piece: Buffer | undefined;
  let filled = 0;
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; ) {
        // Taken by the system only as far as it is filled.
        piece ??= Buffer.allocUnsafeSlow(pieceBytes);
        const part = chunk.subarray(at, at + pieceBytes - filled);
        piece.set(part, filled);
        filled += part.length;
        at += part.length;
        if (filled < pieceBytes) continue;
        const whole = piece;
        piece = undefined;
        filled = 0;
        yield whole;
      }
      freeAtOnce(chunk);
    }
    const last = piece?.subarray(0, filled);
    piece = undefined;
    if (last !== undefined) yield last;
  } finally {
    if (piece !== undefined) freeAtOnce(piece);
  }
}

function webChunksOf(request: Request): AsyncIterator<Uint8Array> {
  const body: ReadableStream<Uint8Array> | null = request.body;
  if (body === null) return { next: async () => ({ done: true, value: undefined }) };
  const reader = body.getReader();
  return {
    next: async () => {
      const { done, value } = await reader.read();
      return done ? { done, value: undefined } : { done, value };
    },
    return: async () => {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
}

function late(): CodedError {
  return new CodedError('REQUEST_TIMEOUT', 'The body did not come to its end in time. Send it again.');
}

function tooLarge(maxBytes: number): CodedError {
  return new CodedError(
    'BODY_TOO_LARGE',
    `A job description may have at most ${maxBytes} bytes. Upload large files with POST /dms/blobs and give their cid.`,
  );
}
