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
async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  await wait(delayMs, undefined, { signal }).catch(() => {});
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
