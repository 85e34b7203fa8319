/**
 * What goes over the two pipes between the node and its child: a 4-byte big-endian payload length, a type
 * byte, the payload. The node sends one `task`; the child answers `running`, then output as it is printed,
 * then the files (`file`, followed by its `data`), and `end`.
 */
export const FRAME = { task: 1, running: 2, stdout: 3, stderr: 4, file: 5, data: 6, end: 7 } as const;

export type FrameType = (typeof FRAME)[keyof typeof FRAME];

export interface Frame {
  readonly type: number;
  readonly payload: Uint8Array;
}

export const FRAME_HEADER_BYTES = 5;
/** The child cuts longer payloads into several frames; a longer one breaks the protocol. */
export const MAX_PAYLOAD_BYTES = 64 * 1024;
export const MAX_TASK_BYTES = 16 * 1024 * 1024;

export class FrameError extends Error {
  override readonly name = 'FrameError';
}

export function encodeFrame(type: FrameType, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  new DataView(frame.buffer).setUint32(0, payload.length);
  frame[4] = type;
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
}

/** Type and payload length of the frame that starts at `offset`. */
export function decodeHeader(bytes: Uint8Array, offset: number): { type: number; length: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, FRAME_HEADER_BYTES);
  return { length: view.getUint32(0), type: view.getUint8(4) };
}

/** Cuts a byte stream into frames; holds back at most one incomplete frame. */
export class FrameDecoder {
  #held: Uint8Array = new Uint8Array(0);

  /** Throws {@link FrameError} on a payload that is too long. */
  *push(chunk: Uint8Array): Generator<Frame> {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let offset = 0;
    while (bytes.length - offset >= FRAME_HEADER_BYTES) {
      const { type, length } = decodeHeader(bytes, offset);
      if (length > MAX_PAYLOAD_BYTES) throw new FrameError(`A frame of ${length} bytes is too long.`);
      const end = offset + FRAME_HEADER_BYTES + length;
      if (end > bytes.length) break;
      yield { type, payload: bytes.subarray(offset + FRAME_HEADER_BYTES, end) };
      offset = end;
    }
    this.#held = bytes.slice(offset);
  }
}

/** Joins neighbouring output of one stream: a program that prints byte by byte costs its reader no more. */
export function* joinPrinted(frames: Iterable<Frame>): Generator<Frame> {
  let type: number = FRAME.stdout;
  let parts: Uint8Array[] = [];
  for (const frame of frames) {
    if (frame.type !== type && parts.length > 0) {
      yield { type, payload: Buffer.concat(parts) };
      parts = [];
    }
    if (frame.type === FRAME.stdout || frame.type === FRAME.stderr) {
      type = frame.type;
      parts.push(frame.payload);
    } else yield frame;
  }
  if (parts.length > 0) yield { type, payload: Buffer.concat(parts) };
}
