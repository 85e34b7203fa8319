import { writeSync } from 'node:fs';
import { FRAME, FRAME_HEADER_BYTES } from './frames.ts';

/** What is held back at most; what does not fit goes out at once. */
export const PRINT_BATCH_BYTES = 16 * 1024;
/** What is printed so soon after the last bytes that left waits for more; the executor asks for it a moment later. */
export const PRINT_BATCH_MS = 10;

const LENGTH = 1;
const TYPE = 2;
const CONTROL_BYTES = 12;

/** Held-back output in memory that two threads share: the program's, and the one that watches the parent. */
export interface SharedBatch {
  /** The lock, the length of the payload, the type of its frame. */
  readonly control: Int32Array;
  /** Room for the header of the frame, then the payload. */
  readonly frame: Uint8Array;
}

/**
 * Sends what is held back, if there is any. The caller has the lock. It stands alone, as the watching thread gets it
 * as text, and blocks until the parent has taken the bytes.
 */
export function flushBatch(
  { control, frame }: SharedBatch,
  write: (fd: number, bytes: Uint8Array, offset: number, length: number) => number,
): void {
  const length = control[1] ?? 0;
  if (length === 0) return;
  frame[0] = 0;
  frame[1] = length >>> 16;
  frame[2] = (length >>> 8) & 0xff;
  frame[3] = length & 0xff;
  frame[4] = control[2] ?? 0;
  const total = length + 5;
  for (let done = 0; done < total; ) done += write(1, frame, done, total - done);
  control[1] = 0;
}

/** Waits for the lock and takes it: 0 is free, 1 taken, 2 taken and waited for. Stands alone, like {@link flushBatch}. */
export function lockBatch(control: Int32Array): void {
  if (Atomics.compareExchange(control, 0, 0, 1) === 0) return;
  while (Atomics.exchange(control, 0, 2) !== 0) Atomics.wait(control, 0, 2);
}

export function unlockBatch(control: Int32Array): void {
  if (Atomics.exchange(control, 0, 0) === 2) Atomics.notify(control, 0, 1);
}

/**
 * Joins many small prints into few frames. The first bytes after a pause leave at once. What follows within
 * {@link PRINT_BATCH_MS} is held back until that time is over and more is printed, until there is no room left, or
 * until the parent asks, which it does once for all that it gets: so nothing waits for a program that has gone silent.
 */
export class PrintBatch {
  readonly shared: SharedBatch;
  readonly #nowMs: () => number;
  #leftAtMs = Number.NEGATIVE_INFINITY;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.shared = {
      control: new Int32Array(new SharedArrayBuffer(CONTROL_BYTES)),
      frame: new Uint8Array(new SharedArrayBuffer(FRAME_HEADER_BYTES + PRINT_BATCH_BYTES)),
    };
  }

  print(stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
    const { control, frame } = this.shared;
    const type = FRAME[stream];
    lockBatch(control);
    const held = control[LENGTH] ?? 0;
    if (held > 0 && (control[TYPE] !== type || held + bytes.length > PRINT_BATCH_BYTES)) this.#flush();
    control[TYPE] = type;
    for (let done = 0; done < bytes.length; ) {
      const at = control[LENGTH] ?? 0;
      const part = bytes.subarray(done, done + PRINT_BATCH_BYTES - at);
      frame.set(part, FRAME_HEADER_BYTES + at);
      control[LENGTH] = at + part.length;
      done += part.length;
      if (control[LENGTH] === PRINT_BATCH_BYTES) this.#flush();
    }
    if (this.#nowMs() - this.#leftAtMs >= PRINT_BATCH_MS) this.#flush();
    unlockBatch(control);
  }

  /** Sends what is held back and then, with nothing in between, what `send` sends. */
  before(send: () => void): void {
    lockBatch(this.shared.control);
    flushBatch(this.shared, writeSync);
    send();
    unlockBatch(this.shared.control);
  }

  #flush(): void {
    this.#leftAtMs = this.#nowMs();
    flushBatch(this.shared, writeSync);
  }
}
