import { ServerResponse } from 'node:http';
import type { Context } from 'hono';
import { CodedError, codeOf } from '../lib/coded-error.ts';

/** The long answers that are under way: bounded in number, and all ended when the node stops. */
export class OpenStreams {
  readonly #most: number;
  readonly #open = new Set<AbortController>();

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Ends with the request, with {@link endAll}, or when aborted. Throws `TOO_MANY_STREAMS`. */
  open(request: AbortSignal): AbortController {
    if (this.#open.size >= this.#most) {
      throw new CodedError(
        'TOO_MANY_STREAMS',
        `At most ${this.#most} event and log streams may be open. Close one and try again.`,
      );
    }
    const controller = new AbortController();
    this.#open.add(controller);
    const end = (): void => controller.abort();
    request.addEventListener('abort', end, { once: true });
    controller.signal.addEventListener(
      'abort',
      () => {
        request.removeEventListener('abort', end);
        this.#open.delete(controller);
      },
      { once: true },
    );
    if (request.aborted) end();
    return controller;
  }

  endAll(): void {
    const reason = new CodedError('STOPPING', 'The node is stopping.');
    for (const controller of this.#open) controller.abort(reason);
  }
}

/** `broken-off`: the client sees that this is not all; `ended`: what it has is whole in itself. */
export type WhenStopped = 'broken-off' | 'ended';

/**
 * `source` as a body that is read as fast as the client takes it. A fault of the source breaks it off, so that the
 * client sees it is not whole; so does the stop of the node, but for streams that have no end of their own.
 */
export function bodyOf(
  { env }: Pick<Context, 'env'>,
  source: AsyncIterable<Uint8Array>,
  controller: AbortController,
  whenStopped: WhenStopped = 'broken-off',
): ReadableStream<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  const { signal } = controller;
  let over = false;
  const end = (how: () => void): void => {
    if (over) return;
    over = true;
    how();
    controller.abort();
    iterator.return?.().catch(() => {});
  };
  return new ReadableStream<Uint8Array>({
    start(body) {
      const stop = (): void => {
        const isCut = isStopping(signal.reason) && whenStopped === 'broken-off';
        end(() => (isCut ? breakOff(env, body, signal.reason) : body.close()));
      };
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    },
    async pull(body) {
      try {
        const step = await iterator.next();
        if (step.done === true) end(() => body.close());
        else if (!over) body.enqueue(step.value);
      } catch (error) {
        end(() => breakOff(env, body, error));
      }
    },
    cancel: () => end(() => {}),
  });
}

function isStopping(reason: unknown): boolean {
  return codeOf(reason) === 'STOPPING';
}

/** The connection goes without the mark of a whole answer; without a connection, as in a test, the body fails. */
function breakOff(env: unknown, body: ReadableStreamDefaultController, error: unknown): void {
  const outgoing = outgoingOf(env);
  if (outgoing === undefined) body.error(error);
  else outgoing.destroy();
}

function outgoingOf(env: unknown): { destroy(): void } | undefined {
  if (typeof env !== 'object' || env === null || !('outgoing' in env)) return undefined;
  return env.outgoing instanceof ServerResponse ? env.outgoing : undefined;
}
