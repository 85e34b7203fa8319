import { describe, expect, it } from 'vitest';
import { sparingLengths } from '../../../../src/network/libp2p/frame-lengths.ts';

/** What of a decoder counts here: how it asks for the length of the next frame in what has arrived. */
function decoder() {
  return {
    maxDataLength: 4 * 1024 * 1024,
    lengthDecoder: (arrived: unknown): number => {
      throw new RangeError(`no length in ${String(arrived)}`);
    },
  };
}

function arrived(...bytes: number[]): { byteLength: number; getUint16(offset: number): number } {
  const view = new DataView(Uint8Array.from(bytes).buffer);
  return { byteLength: bytes.length, getUint16: (offset) => view.getUint16(offset) };
}

describe('lengths of encrypted frames', () => {
  const { lengthDecoder } = (() => {
    const one = decoder();
    sparingLengths(one);
    return one;
  })();

  it.each([
    [[0, 0], 0],
    [[0, 7, 1, 2], 7],
    [[1, 2], 258],
    [[0xff, 0xff, 9], 65_535],
  ])('of %j: %i', (bytes, expected) => {
    expect(lengthDecoder(arrived(...bytes))).toBe(expected);
  });

  it.each([[[]], [[255]]])('of %j: a frame that cannot be whole yet, and no exception', (bytes) => {
    const length = lengthDecoder(arrived(...bytes));
    expect(length).toBeGreaterThan(65_535);
    expect(length).toBeLessThan(decoder().maxDataLength);
  });

  it('leaves what is no such decoder as it is', () => {
    const other = { lengthDecoder: 7 };
    sparingLengths(other);
    sparingLengths(undefined);
    expect(other).toEqual({ lengthDecoder: 7 });
  });
});
