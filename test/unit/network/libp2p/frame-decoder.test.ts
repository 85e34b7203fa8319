import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameDecoder } from '../../../../src/network/libp2p/frame-decoder.ts';

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

/** All the frames in it. */
function pushed(decoder: FrameDecoder, chunk: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  decoder.push(chunk, (frame) => frames.push(frame) > 0);
  return frames;
}

describe('frames', () => {
  test.prop([
    fc.array(fc.uint8Array({ minLength: 1, maxLength: MAX_FRAME_BYTES }), { maxLength: 12 }),
    fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 }),
  ])('come out as they went in, however the bytes are cut', (frames, sizes) => {
    const decoder = new FrameDecoder(MAX_FRAME_BYTES);
    const bytes = new Uint8Array(Buffer.concat(frames.map(encodeFrame)));
    const out = cut(bytes, sizes).flatMap((chunk) => pushed(decoder, chunk));
    expect(out).toEqual(frames);
    expect(decoder.isAtBoundary).toBe(true);
  });

  test.prop([fc.uint8Array({ minLength: 1, maxLength: MAX_FRAME_BYTES }), fc.nat()])(
    'that are cut off are noticed',
    (frame, at) => {
      const bytes = encodeFrame(frame);
      const decoder = new FrameDecoder(MAX_FRAME_BYTES);
      expect(pushed(decoder, bytes.subarray(0, 1 + (at % (bytes.length - 1))))).toEqual([]);
      expect(decoder.isAtBoundary).toBe(false);
    },
  );

  it('are copies, which do not change with the buffer they came in', () => {
    const bytes = encodeFrame(new Uint8Array([1, 2, 3]));
    const [frame] = pushed(new FrameDecoder(MAX_FRAME_BYTES), bytes);
    bytes.fill(9);
    expect(frame).toEqual(new Uint8Array([1, 2, 3]));
  });

  it('over the limit are refused by their length alone', () => {
    const largest = encodeFrame(new Uint8Array(MAX_FRAME_BYTES));
    expect(pushed(new FrameDecoder(MAX_FRAME_BYTES), largest)).toHaveLength(1);
    const tooLarge = encodeFrame(new Uint8Array(MAX_FRAME_BYTES + 1));
    expect(() => pushed(new FrameDecoder(MAX_FRAME_BYTES), tooLarge.subarray(0, 2))).toThrow(
      expect.objectContaining({ code: 'FRAME_TOO_LARGE' }),
    );
  });

  it.each([[[0xff, 0xff, 0xff, 0xff, 0x01]], [[0x80, 0x80, 0x80, 0x80]]])(
    'refuse the length %j',
    (prefix) => {
      expect(() => pushed(new FrameDecoder(MAX_FRAME_BYTES), new Uint8Array(prefix))).toThrow(
        expect.objectContaining({ code: 'FRAME_TOO_LARGE' }),
      );
    },
  );

  it.each([
    [[0], 'FRAME_EMPTY'],
    [[1, 7, 0], 'FRAME_EMPTY'],
    [[0x80, 0], 'FRAME_LENGTH_INVALID'],
    [[0x81, 0], 'FRAME_LENGTH_INVALID'],
    [[0x81, 0x80, 0], 'FRAME_LENGTH_INVALID'],
  ])('refuse %j at once', (bytes, code) => {
    expect(() => pushed(new FrameDecoder(MAX_FRAME_BYTES), new Uint8Array(bytes))).toThrow(
      expect.objectContaining({ code }),
    );
  });

  test.prop([
    fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 20 }),
    fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 }),
    fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 }),
  ])('are decoded no further than they are wanted, and all of them in the end', (frames, sizes, wants) => {
    const decoder = new FrameDecoder(MAX_FRAME_BYTES);
    const out: Uint8Array[] = [];
    let left = 0;
    const take = (frame: Uint8Array): boolean => {
      out.push(frame);
      left -= 1;
      expect(left).toBeGreaterThanOrEqual(0);
      return left > 0;
    };
    for (const [index, chunk] of cut(
      new Uint8Array(Buffer.concat(frames.map(encodeFrame))),
      sizes,
    ).entries()) {
      left = wants[index % wants.length] ?? 1;
      decoder.push(chunk, take);
    }
    while (decoder.hasRest) {
      left = 3;
      decoder.goOn(take);
    }
    expect(out).toEqual(frames);
    expect(decoder.isAtBoundary).toBe(true);
  });

  it('keep no more than about what arrived of them, whatever they say and however they come', () => {
    const [large, count] = [2 * 1024 * 1024, 40_000];
    const decoder = new FrameDecoder(large);
    const chunk = new Uint8Array(14_000);
    decoder.push(encodeFrame(new Uint8Array(large)).subarray(0, 4), () => true);
    expect(decoder.heldBytes).toBe(0);
    for (let at = 0; at < count; at += 1) {
      decoder.push(chunk.subarray(at % chunk.length, (at % chunk.length) + 1), () => true);
      expect(decoder.heldBytes).toBeLessThanOrEqual(Math.max(2 * (at + 1), 1024));
    }
  });
});
