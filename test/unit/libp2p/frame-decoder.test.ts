import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameDecoder } from '../../../src/network/libp2p/frame-decoder.ts';

const MAX_FRAME_BYTES = 300;

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let offset = 0;
  for (let index = 0; offset < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    chunks.push(bytes.subarray(offset, offset + size));
    offset += size;
  }
  return chunks;
}

describe('frames', () => {
  test.prop([
    fc.array(fc.uint8Array({ maxLength: MAX_FRAME_BYTES }), { maxLength: 12 }),
    fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 }),
  ])('come out as they went in, however the bytes are cut', (frames, sizes) => {
    const decoder = new FrameDecoder(MAX_FRAME_BYTES);
    const bytes = new Uint8Array(Buffer.concat(frames.map(encodeFrame)));
    const out = cut(bytes, sizes).flatMap((chunk) => decoder.push(chunk));
    expect(out).toEqual(frames);
    expect(decoder.isAtBoundary).toBe(true);
  });

  test.prop([fc.uint8Array({ minLength: 1, maxLength: MAX_FRAME_BYTES }), fc.nat()])(
    'that are cut off are noticed',
    (frame, at) => {
      const bytes = encodeFrame(frame);
      const decoder = new FrameDecoder(MAX_FRAME_BYTES);
      expect(decoder.push(bytes.subarray(0, 1 + (at % (bytes.length - 1))))).toEqual([]);
      expect(decoder.isAtBoundary).toBe(false);
    },
  );

  it('are copies, which do not change with the buffer they came in', () => {
    const bytes = encodeFrame(new Uint8Array([1, 2, 3]));
    const [frame] = new FrameDecoder(MAX_FRAME_BYTES).push(bytes);
    bytes.fill(9);
    expect(frame).toEqual(new Uint8Array([1, 2, 3]));
  });

  it('over the limit are refused by their length alone', () => {
    const largest = encodeFrame(new Uint8Array(MAX_FRAME_BYTES));
    expect(new FrameDecoder(MAX_FRAME_BYTES).push(largest)).toHaveLength(1);
    const tooLarge = encodeFrame(new Uint8Array(MAX_FRAME_BYTES + 1));
    expect(() => new FrameDecoder(MAX_FRAME_BYTES).push(tooLarge.subarray(0, 2))).toThrow(
      expect.objectContaining({ code: 'FRAME_TOO_LARGE' }),
    );
  });

  it.each([[[0xff, 0xff, 0xff, 0xff, 0x01]], [[0x80, 0x80, 0x80, 0x80]]])(
    'refuse the length %j',
    (prefix) => {
      expect(() => new FrameDecoder(MAX_FRAME_BYTES).push(new Uint8Array(prefix))).toThrow(
        expect.objectContaining({ code: 'FRAME_TOO_LARGE' }),
      );
    },
  );
});
