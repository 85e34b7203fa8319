import { CodedError } from '../lib/coded-error.ts';

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
    for (const controller of this.#open) controller.abort();
  }
}

/**
 * `source` as a body that is read as fast as the client takes it. An abort ends the body in good order, also
 * where the source does not notice; a fault of the source breaks it off, so that the client sees it is not whole.
 */
export function bodyOf(
  source: AsyncIterable<Uint8Array>,
  controller: AbortController,
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
      if (signal.aborted) end(() => body.close());
      else signal.addEventListener('abort', () => end(() => body.close()), { once: true });
    },
    async pull(body) {
      try {
        const step = await iterator.next();
        if (step.done === true) end(() => body.close());
        else if (!over) body.enqueue(step.value);
      } catch (error) {
        end(() => body.error(error));
      }
    },
    cancel: () => end(() => {}),
  });
}
