import type { Stream } from '@libp2p/interface';
import { setTimeout as wait } from 'node:timers/promises';

/** After a refusal: an attacker does not go away, and does not spin either. */
const AFTER_FAILURE_MS = 20;

/** Does the work again and again until the signal is aborted; what fails is told to `failed` and tried again. */
export async function again(
  signal: AbortSignal,
  work: () => Promise<void>,
  failed: (error: unknown) => void = () => {},
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch (error) {
      if (signal.aborted) return;
      failed(error);
      await pause(AFTER_FAILURE_MS, signal);
    }
  }
}

/** Resolves after the time, or at once when the signal is aborted. */
export async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  await wait(delayMs, undefined, { signal }).catch(() => {});
}

/** Calls `work` so many times a second, however long each call takes, with at most `atOnce` of them under way. */
export async function atRate(
  perSecond: number,
  atOnce: number,
  signal: AbortSignal,
  work: (index: number) => Promise<void>,
): Promise<void> {
  const startedMs = performance.now();
  let begun = 0;
  let underWay = 0;
  while (!signal.aborted) {
    const due = Math.floor(((performance.now() - startedMs) * perSecond) / 1000);
    for (; begun < due && underWay < atOnce; begun += 1) {
      underWay += 1;
      void work(begun)
        .catch(() => {})
        .finally(() => {
          underWay -= 1;
        });
    }
    // What could not be begun in its time is not made up for: the rate is never higher than it was asked to be.
    begun = Math.max(begun, due);
    await pause(5, signal);
  }
}

/** Writes bytes to a stream and resolves when the last of them has left. Rejects when it is closed before. */
export async function push(stream: Stream, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  if (stream.status !== 'open') throw new Error('the stream is closed');
  stream.send(bytes);
  while (stream.writableNeedsDrain || stream.writeBufferLength > 0) {
    await nextWriteEvent(stream, signal);
    if (stream.status !== 'open' || signal.aborted) throw new Error('the stream is closed');
  }
}

const WRITE_EVENTS = ['drain', 'idle', 'close'] as const;

function nextWriteEvent(stream: Stream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      for (const name of WRITE_EVENTS) stream.removeEventListener(name, settle);
      signal.removeEventListener('abort', settle);
      resolve();
    };
    for (const name of WRITE_EVENTS) stream.addEventListener(name, settle);
    signal.addEventListener('abort', settle);
  });
}
