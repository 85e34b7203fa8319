import { fc, test } from '@fast-check/vitest';
import { beforeEach, describe, expect, it } from 'vitest';
import { type MuxFrame, MuxReader, type MuxStream } from '../../../../src/network/libp2p/mux-reader.ts';

const MAX_WINDOW_BYTES = 2 * 1024 * 1024;
const [DATA, WINDOW, PING] = [0, 1, 2] as const;
const [SYN, FIN] = [1, 4] as const;
const OWN_PROTOCOL = '/bidmesh/test/content/2';

function frame(type: number, flag: number, streamID: number, data: Uint8Array | number): Uint8Array {
  const body = typeof data === 'number' ? new Uint8Array() : data;
  const bytes = new Uint8Array(12 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(1, type);
  view.setUint16(2, flag);
  view.setUint32(4, streamID);
  view.setUint32(8, typeof data === 'number' ? data : data.length);
  bytes.set(body, 12);
  return bytes;
}

const joined = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

interface Scene {
  readonly reader: MuxReader;
  readonly handled: MuxFrame[];
  readonly streams: Map<number, MuxStream & { protocol: string; aborted: boolean }>;
  readonly faults: string[];
}

function scene(protocols: Readonly<Record<number, string>> = {}): Scene {
  const handled: MuxFrame[] = [];
  const faults: string[] = [];
  const streams: Scene['streams'] = new Map();
  const open = (id: number, protocol: string): void => {
    const stream = {
      protocol,
      recvWindowCapacity: MAX_WINDOW_BYTES,
      writableNeedsDrain: false,
      aborted: false,
      abort: () => {
        stream.aborted = true;
        streams.delete(id);
      },
    };
    streams.set(id, stream);
  };
  for (const [id, protocol] of Object.entries(protocols)) open(Number(id), protocol);
  const reader = new MuxReader({
    maxWindowBytes: MAX_WINDOW_BYTES,
    stream: (id) => streams.get(id),
    handle: (one) => {
      handled.push(one);
      if ((one.header.flag & SYN) !== 0 && one.header.streamID !== 0) open(one.header.streamID, '');
    },
    faulted: (code) => faults.push(code),
  });
  return { reader, handled, streams, faults };
}

/** All of it, in as many steps as it takes. */
function readAll(reader: MuxReader, bytes: Uint8Array): number {
  let steps = 1;
  for (let isMore = reader.read(bytes); isMore; isMore = reader.read()) steps += 1;
  return steps;
}

const dataOf = (handled: readonly MuxFrame[], id: number): Uint8Array =>
  joined(handled.flatMap(({ header, data }) => (header.streamID === id && data !== undefined ? [data] : [])));

describe('the frames of a multiplexer', () => {
  let made: Scene;

  beforeEach(() => {
    made = scene({ 2: OWN_PROTOCOL, 4: '/meshsub/1.2.0' });
  });

  test.prop([
    fc.array(
      fc.oneof(
        fc.record({ id: fc.constantFrom(2, 4), data: fc.uint8Array({ minLength: 1, maxLength: 6000 }) }),
        fc.record({ id: fc.constantFrom(2, 4), data: fc.nat(100_000) }),
      ),
      { maxLength: 20 },
    ),
    fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 8 }),
  ])('are handed on whole and in order, however they are cut', (frames, sizes) => {
    const { reader, handled } = scene({ 2: OWN_PROTOCOL, 4: '/meshsub/1.2.0' });
    const bytes = joined([
      ...frames.map(({ id, data }) => frame(typeof data === 'number' ? WINDOW : DATA, 0, id, data)),
      frame(WINDOW, FIN, 2, 0),
      frame(WINDOW, FIN, 4, 0),
    ]);
    for (let at = 0, index = 0; at < bytes.length; index += 1) {
      const size = sizes[index % sizes.length] ?? 1;
      readAll(reader, bytes.subarray(at, at + size));
      at += size;
    }
    for (const id of [2, 4]) {
      const sent = frames.flatMap((one) => (one.id === id && typeof one.data !== 'number' ? [one.data] : []));
      expect(dataOf(handled, id)).toEqual(joined(sent));
      const updates = frames.flatMap((one) =>
        one.id === id && typeof one.data === 'number' ? [one.data] : [],
      );
      const got = handled.filter(({ header }) => header.streamID === id && header.type === WINDOW);
      expect(got.map(({ header }) => header.length)).toEqual([...updates, 0]);
    }
    for (const { header, data } of handled) {
      if (data !== undefined) expect(header.length).toBe(data.length);
    }
    expect(reader.heldBytes).toBeLessThanOrEqual(4096);
  });

  it('are worked off in pieces where there are many', () => {
    const pings = Array<Uint8Array>(5000).fill(frame(PING, SYN, 0, 7));
    expect(made.reader.read(joined(pings))).toBe(true);
    expect(made.handled.length).toBeLessThan(100);
    while (made.reader.read());
    expect(made.handled).toHaveLength(5000);
  });

  it.each([
    ['opened and reset', (id: number) => [frame(WINDOW, SYN, id, 0), frame(WINDOW, 8, id, 0)], 8],
    ['opened with a word', (id: number) => [frame(DATA, SYN, id, Uint8Array.of(3, 108, 115, 10))], 2],
  ])('are few at once where streams are %s', (_, of, most) => {
    const bytes = joined(Array.from({ length: 1000 }, (__, index) => of(100 + 2 * index)).flat());
    expect(made.reader.read(bytes)).toBe(true);
    expect(made.handled.filter(({ header }) => (header.flag & SYN) !== 0).length).toBeLessThanOrEqual(most);
  });

  it('give a library few messages at once, and an own channel all of a piece', () => {
    const empty = new Uint8Array(60_000);
    made.reader.read(frame(DATA, 0, 4, empty));
    expect(dataOf(made.handled, 4).length).toBeLessThanOrEqual(16);
    const { reader, handled } = scene({ 2: OWN_PROTOCOL });
    expect(reader.read(frame(DATA, 0, 2, empty))).toBe(false);
    expect(dataOf(handled, 2)).toHaveLength(60_000);
  });

  it('give one word before a protocol is agreed on, and end a stream on which it never is', () => {
    const words = joined(Array<Uint8Array>(15_000).fill(Uint8Array.of(3, 108, 115, 10)));
    made.reader.read(frame(DATA, SYN, 6, words));
    expect(dataOf(made.handled, 6)).toEqual(Uint8Array.of(3, 108, 115, 10));
    const stream = made.streams.get(6);
    while (made.reader.read());
    expect(stream?.aborted).toBe(true);
    expect(made.faults).toEqual(['STREAM_TOO_LONG']);
    expect(dataOf(made.handled, 6).length).toBeLessThanOrEqual(2052);
  });

  it('give early data whole once a protocol is agreed on', () => {
    const early = new Uint8Array(60_000).fill(9);
    made.reader.read(frame(DATA, SYN, 6, joined([Uint8Array.of(3, 108, 115, 10), early])));
    made.streams.get(6)!.protocol = OWN_PROTOCOL;
    while (made.reader.read());
    expect(dataOf(made.handled, 6)).toHaveLength(60_004);
    expect(made.faults).toEqual([]);
  });

  it('gather the small parts of a message that is not whole, and hand them on before the end', () => {
    made.reader.read(frame(DATA, 0, 4, Uint8Array.of(0x80 | 100, 0x10)));
    for (let count = 0; count < 1000; count += 1) made.reader.read(frame(DATA, 0, 4, Uint8Array.of(7)));
    expect(made.handled.length).toBeLessThan(10);
    made.reader.read(frame(WINDOW, FIN, 4, 0));
    expect(dataOf(made.handled, 4)).toHaveLength(1002);
    expect(made.handled.at(-1)?.header.flag).toBe(FIN);
  });

  it.each([
    ['is larger than its window', frame(DATA, 0, 2, MAX_WINDOW_BYTES + 1)],
    ['is larger than any window', frame(DATA, 0, 99, 0xf000_0000)],
    ['is data of no stream', frame(DATA, 0, 0, 5)],
  ])('are refused by the header alone where one %s', (_, bytes) => {
    expect(() => made.reader.read(bytes)).toThrow(expect.objectContaining({ code: 'MUX_WINDOW_EXCEEDED' }));
  });

  it('refuse another version', () => {
    expect(() => made.reader.read(new Uint8Array(12).fill(1))).toThrow(
      expect.objectContaining({ code: 'MUX_MALFORMED' }),
    );
  });

  it('end a stream whose answers are not read', () => {
    const { reader, streams, faults } = scene({ 2: '/ipfs/ping/1.0.0' });
    const ping = frame(DATA, 0, 2, new Uint8Array(4096));
    for (let count = 0; count < 100; count += 1) readAll(reader, ping);
    expect(faults).toEqual([]);
    Object.assign(streams.get(2)!, { writableNeedsDrain: true });
    for (let count = 0; count < 5; count += 1) readAll(reader, ping);
    expect(faults).toEqual(['STREAM_TOO_LONG']);
  });

  it('are handed on in copies, which do not keep the chunk', () => {
    const chunk = joined([frame(DATA, 0, 2, Uint8Array.of(1, 2, 3)), new Uint8Array(5)]);
    made.reader.read(chunk);
    chunk.fill(9);
    expect(made.handled[0]?.data).toEqual(Uint8Array.of(1, 2, 3));
    expect(made.handled[0]?.data?.buffer.byteLength).toBe(3);
  });
});
