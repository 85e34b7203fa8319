import { type Clock, within } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import { freeAtOnce } from './free-at-once.ts';
import type { OpenBodies } from './open-bodies.ts';
import type { ApiOptions } from './options.ts';

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
   * only while there is room. Throws `BODY_TOO_LARGE`, `BODIES_FULL` or `REQUEST_TIMEOUT`.
   */
  async whole(request: Request): Promise<WholeBody> {
    const { maxBodyBytes, smallBodyBytes, bodyTimeoutMs } = this.#options;
    const declared = declaredBytes(request) ?? maxBodyBytes;
    if (declared > maxBodyBytes) throw tooLarge(maxBodyBytes);
    if (request.headers.has('content-length') && declared <= smallBodyBytes) {
      const buffer = await within(this.#clock, bodyTimeoutMs, request.arrayBuffer(), () => undefined);
      if (buffer === undefined) throw late();
      return { bytes: new Uint8Array(buffer), release: () => {} };
    }
    const room = await this.#open.enter(declared, request.signal);
    const timer = this.#clock.after(bodyTimeoutMs, () => room.end(late()));
    // Taken once and of its own, and by the system only as far as it is filled.
    const whole = Buffer.allocUnsafeSlow(declared);
    const leave = (): void => {
      freeAtOnce(whole);
      room.release();
    };
    try {
      let sizeBytes = 0;
      for await (const chunk of chunksOf(request, room.signal)) {
        if (sizeBytes + chunk.length > declared) throw tooLarge(maxBodyBytes);
        whole.set(chunk, sizeBytes);
        sizeBytes += chunk.length;
        room.received(chunk.length);
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

  /** A body as it comes, given to `take`; there is room for the part of it that is on its way. Throws `BODIES_FULL`. */
  async streamed<T>(request: Request, take: (chunks: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T> {
    const { uploadBytes } = this.#options;
    const bytes = Math.min(declaredBytes(request) ?? uploadBytes, uploadBytes);
    const room = await this.#open.enter(bytes, request.signal);
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunksOf(request, room.signal)) {
        room.received(chunk.length);
        yield chunk;
      }
      room.complete();
    };
    try {
      return await take(counted());
    } finally {
      room.release();
    }
  }
}

function declaredBytes(request: Request): number | undefined {
  const header = request.headers.get('content-length');
  return header === null ? undefined : Number(header);
}

/** The bytes as they come. Throws what `signal` is aborted with, without waiting for more of them. */
async function* chunksOf(request: Request, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const body: ReadableStream<Uint8Array> | null = request.body;
  if (body === null) return;
  const reader = body.getReader();
  const ended = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  try {
    for (;;) {
      const step = await Promise.race([reader.read(), ended]);
      if (step === undefined) throw signal.reason;
      if (step.done) return;
      yield step.value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
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
