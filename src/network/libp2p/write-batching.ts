import type { MessageStream } from '@libp2p/interface';
import { afterThisTurn } from '../../lib/clock.ts';

/** What is written within one turn may grow to this before it is sent at once. */
const BATCH_BYTES = 64 * 1024;

type Chunk = Parameters<MessageStream['send']>[0];

/**
 * Sends what one turn of the event loop writes to a connection as one packet. An answer is otherwise four or more:
 * the length of each encrypted message, the message, and the window updates around it; and a packet costs both sides
 * far more than the bytes in it. It stands below the encryption; `sent` is called with each packet.
 */
export function batchWrites(connection: MessageStream, sent: () => void = () => {}): void {
  const send = connection.send.bind(connection);
  const close = connection.close.bind(connection);
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let hasRoom = true;

  const flush = (): void => {
    if (waitingBytes === 0) return;
    const batch = waiting;
    const bytes = waitingBytes;
    waiting = [];
    waitingBytes = 0;
    // A connection that was dropped meanwhile has nobody to tell: its streams have heard of it already.
    if (connection.status !== 'open') return;
    hasRoom = send(joined(batch, bytes));
    sent();
  };

  connection.send = (chunk: Chunk): boolean => {
    if (connection.status !== 'open') return send(chunk);
    if (waitingBytes === 0) afterThisTurn(flush);
    waiting.push(chunk instanceof Uint8Array ? chunk : chunk.subarray());
    waitingBytes += chunk.byteLength;
    if (waitingBytes >= BATCH_BYTES) flush();
    return hasRoom;
  };
  connection.close = (options) => {
    flush();
    return close(options);
  };
  connection.addEventListener('drain', () => {
    hasRoom = true;
  });
}

function joined(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
