import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import {
  encodeFrame,
  FRAME,
  type Frame,
  FrameDecoder,
  FrameError,
  joinPrinted,
  MAX_PAYLOAD_BYTES,
} from '../../../../../src/provider/sandbox/child/frames.ts';

const frames = fc.array(
  fc.record({
    type: fc.constantFrom(FRAME.stdout, FRAME.stderr, FRAME.end),
    payload: fc.uint8Array({ maxLength: 40 }),
  }),
  { maxLength: 12 },
);

/** The frames as plain values, which compare well. */
function plain(list: Iterable<Frame>): unknown[] {
  return [...list].map(({ type, payload }) => [type, [...payload]]);
}

describe('frames', () => {
  test.prop([frames, fc.array(fc.nat(50))])(
    'come out as they went in, however the bytes are cut',
    (sent, cuts) => {
      const bytes = Buffer.concat(sent.map(({ type, payload }) => encodeFrame(type, payload)));
      const decoder = new FrameDecoder();
      const received: Frame[] = [];
      let offset = 0;
      for (const cut of [...cuts, bytes.length]) {
        received.push(...decoder.push(bytes.subarray(offset, offset + cut)));
        offset += cut;
      }
      expect(plain(received)).toEqual(plain(sent));
    },
  );

  it('may not be longer than agreed', () => {
    const header = encodeFrame(FRAME.stdout, new Uint8Array(MAX_PAYLOAD_BYTES + 1)).subarray(0, 5);
    expect(() => [...new FrameDecoder().push(header)]).toThrow(FrameError);
  });

  test.prop([frames])('of one stream in a row are joined, and nothing is lost or moved', (sent) => {
    const joined = [...joinPrinted(sent)];
    const print = (list: Iterable<Frame>): string =>
      [...list]
        .map(
          ({ type, payload }) =>
            [...payload].map((byte) => `${type}:${byte}`).join() + (type === FRAME.end ? '|' : ''),
        )
        .filter((text) => text !== '')
        .join();
    expect(print(joined)).toBe(print(sent));
    for (const [index, { type }] of joined.entries()) {
      if (type !== FRAME.end) expect(joined[index + 1]?.type).not.toBe(type);
    }
  });
});
