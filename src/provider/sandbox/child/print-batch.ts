import { writeSync } from 'node:fs';
import { FRAME, FRAME_HEADER_BYTES } from './frames.ts';

/** What is held back at most; what does not fit goes out at once. */
export const PRINT_BATCH_BYTES = 16 * 1024;
/** What is printed so soon after the last bytes that left waits for more; the node asks for it a moment later. */
export const PRINT_BATCH_MS = 10;

const LENGTH = 1;
const TYPE = 2;
const CONTROL_BYTES = 12;
const BY_HAND_BYTES = 64;

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

  /** Takes `bytes` from `start` up to `end`. */
  print(stream: 'stdout' | 'stderr', bytes: Uint8Array, start: number, end: number): void {
    const { control, frame } = this.shared;
    const type = FRAME[stream];
    lockBatch(control);
    let held = control[LENGTH] ?? 0;
    if (held > 0 && (control[TYPE] !== type || held + end - start > PRINT_BATCH_BYTES)) {
      this.#flush();
      held = 0;
    }
    control[TYPE] = type;
    for (let at = start; at < end; ) {
      const part = Math.min(end - at, PRINT_BATCH_BYTES - held);
      copy(bytes, at, frame, FRAME_HEADER_BYTES + held, part);
      at += part;
      held += part;
      control[LENGTH] = held;
      if (held === PRINT_BATCH_BYTES) {
        this.#flush();
        held = 0;
      }
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

/** A word is copied by hand in less time than a call of the runtime takes. */
function copy(from: Uint8Array, at: number, into: Uint8Array, intoAt: number, length: number): void {
  if (length > BY_HAND_BYTES) into.set(from.subarray(at, at + length), intoAt);
  else for (let index = 0; index < length; index += 1) into[intoAt + index] = from[at + index] ?? 0;
}
